namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of Heartbeat, API key 12.</summary>
[KafkaMessage(ApiKey.Heartbeat, "0-4", "4+")]
internal sealed partial class HeartbeatRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public int GenerationId { get; set; }
    [Field("0+")] public string MemberId { get; set; } = "";
    [Field("3+", Nullable = "3+")] public string? GroupInstanceId { get; set; }
}

/// <summary>The answer of Heartbeat, API key 12.</summary>
[KafkaMessage(ApiKey.Heartbeat, "0-4", "4+")]
internal sealed partial class HeartbeatResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
}
