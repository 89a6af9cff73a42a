namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of SyncGroup, API key 14.</summary>
[KafkaMessage(ApiKey.SyncGroup, "0-5", "4+")]
internal sealed partial class SyncGroupRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public int GenerationId { get; set; }
    [Field("0+")] public string MemberId { get; set; } = "";
    [Field("3+", Nullable = "3+")] public string? GroupInstanceId { get; set; }
    [Field("5+", Nullable = "5+")] public string? ProtocolType { get; set; }
    [Field("5+", Nullable = "5+")] public string? ProtocolName { get; set; }
    [Field("0+")] public SyncGroupRequestAssignment[] Assignments { get; set; } = [];

    public sealed partial class SyncGroupRequestAssignment
    {
        [Field("0+")] public string MemberId { get; set; } = "";
        [Field("0+")] public byte[] Assignment { get; set; } = [];
    }
}

/// <summary>The answer of SyncGroup, API key 14.</summary>
[KafkaMessage(ApiKey.SyncGroup, "0-5", "4+")]
internal sealed partial class SyncGroupResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("5+", Nullable = "5+")] public string? ProtocolType { get; set; }
    [Field("5+", Nullable = "5+")] public string? ProtocolName { get; set; }
    [Field("0+")] public byte[] Assignment { get; set; } = [];
}
