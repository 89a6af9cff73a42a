namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of JoinGroup, API key 11.</summary>
[KafkaMessage(ApiKey.JoinGroup, "0-9", "6+")]
internal sealed partial class JoinGroupRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public int SessionTimeoutMs { get; set; }
    [Field("1+")] public int RebalanceTimeoutMs { get; set; } = -1;
    [Field("0+")] public string MemberId { get; set; } = "";
    [Field("5+", Nullable = "5+")] public string? GroupInstanceId { get; set; }
    [Field("0+")] public string ProtocolType { get; set; } = "";
    [Field("0+")] public JoinGroupRequestProtocol[] Protocols { get; set; } = [];
    [Field("8+", Nullable = "8+")] public string? Reason { get; set; }

    public sealed partial class JoinGroupRequestProtocol
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public byte[] Metadata { get; set; } = [];
    }
}

/// <summary>The answer of JoinGroup, API key 11.</summary>
[KafkaMessage(ApiKey.JoinGroup, "0-9", "6+")]
internal sealed partial class JoinGroupResponse
{
    [Field("2+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public int GenerationId { get; set; } = -1;
    [Field("7+", Nullable = "7+")] public string? ProtocolType { get; set; }
    [Field("0+", Nullable = "7+")] public string? ProtocolName { get; set; } = "";
    [Field("0+")] public string Leader { get; set; } = "";
    [Field("9+")] public bool SkipAssignment { get; set; }
    [Field("0+")] public string MemberId { get; set; } = "";
    [Field("0+")] public JoinGroupResponseMember[] Members { get; set; } = [];

    public sealed partial class JoinGroupResponseMember
    {
        [Field("0+")] public string MemberId { get; set; } = "";
        [Field("5+", Nullable = "5+")] public string? GroupInstanceId { get; set; }
        [Field("0+")] public byte[] Metadata { get; set; } = [];
    }
}
