namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of LeaveGroup, API key 13.</summary>
[KafkaMessage(ApiKey.LeaveGroup, "0-5", "4+")]
internal sealed partial class LeaveGroupRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0-2")] public string MemberId { get; set; } = "";
    [Field("3+")] public MemberIdentity[] Members { get; set; } = [];

    public sealed partial class MemberIdentity
    {
        [Field("3+")] public string MemberId { get; set; } = "";
        [Field("3+", Nullable = "3+")] public string? GroupInstanceId { get; set; }
        [Field("5+", Nullable = "5+")] public string? Reason { get; set; }
    }
}

/// <summary>The answer of LeaveGroup, API key 13.</summary>
[KafkaMessage(ApiKey.LeaveGroup, "0-5", "4+")]
internal sealed partial class LeaveGroupResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("3+")] public MemberResponse[] Members { get; set; } = [];

    public sealed partial class MemberResponse
    {
        [Field("3+")] public string MemberId { get; set; } = "";
        [Field("3+", Nullable = "3+")] public string? GroupInstanceId { get; set; } = "";
        [Field("3+")] public short ErrorCode { get; set; }
    }
}
