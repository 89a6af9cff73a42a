namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ExpireDelegationToken, API key 40.</summary>
[KafkaMessage(ApiKey.ExpireDelegationToken, "0-2", "2+")]
internal sealed partial class ExpireDelegationTokenRequest
{
    [Field("0+")] public byte[] Hmac { get; set; } = [];
    [Field("0+")] public long ExpiryTimePeriodMs { get; set; }
}

/// <summary>The answer of ExpireDelegationToken, API key 40.</summary>
[KafkaMessage(ApiKey.ExpireDelegationToken, "0-2", "2+")]
internal sealed partial class ExpireDelegationTokenResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public long ExpiryTimestampMs { get; set; }
    [Field("0+")] public int ThrottleTimeMs { get; set; }
}
