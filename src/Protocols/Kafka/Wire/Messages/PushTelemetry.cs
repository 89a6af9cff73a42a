namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of PushTelemetry, API key 72.</summary>
[KafkaMessage(ApiKey.PushTelemetry, "0-0", "0+")]
internal sealed partial class PushTelemetryRequest
{
    [Field("0+")] public Guid ClientInstanceId { get; set; }
    [Field("0+")] public int SubscriptionId { get; set; }
    [Field("0+")] public bool Terminating { get; set; }
    [Field("0+")] public sbyte CompressionType { get; set; }
    [Field("0+")] public byte[] Metrics { get; set; } = [];
}

/// <summary>The answer of PushTelemetry, API key 72.</summary>
[KafkaMessage(ApiKey.PushTelemetry, "0-0", "0+")]
internal sealed partial class PushTelemetryResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
}
