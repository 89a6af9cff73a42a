namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of GetTelemetrySubscriptions, API key 71.</summary>
[KafkaMessage(ApiKey.GetTelemetrySubscriptions, "0-0", "0+")]
internal sealed partial class GetTelemetrySubscriptionsRequest
{
    [Field("0+")] public Guid ClientInstanceId { get; set; }
}

/// <summary>The answer of GetTelemetrySubscriptions, API key 71.</summary>
[KafkaMessage(ApiKey.GetTelemetrySubscriptions, "0-0", "0+")]
internal sealed partial class GetTelemetrySubscriptionsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public Guid ClientInstanceId { get; set; }
    [Field("0+")] public int SubscriptionId { get; set; }
    [Field("0+")] public sbyte[] AcceptedCompressionTypes { get; set; } = [];
    [Field("0+")] public int PushIntervalMs { get; set; }
    [Field("0+")] public int TelemetryMaxBytes { get; set; }
    [Field("0+")] public bool DeltaTemporality { get; set; }
    [Field("0+")] public string[] RequestedMetrics { get; set; } = [];
}
