namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of UnregisterBroker, API key 64.</summary>
[KafkaMessage(ApiKey.UnregisterBroker, "0-0", "0+")]
internal sealed partial class UnregisterBrokerRequest
{
    [Field("0+")] public int BrokerId { get; set; }
}

/// <summary>The answer of UnregisterBroker, API key 64.</summary>
[KafkaMessage(ApiKey.UnregisterBroker, "0-0", "0+")]
internal sealed partial class UnregisterBrokerResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
}
