namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of RenewDelegationToken, API key 39.</summary>
[KafkaMessage(ApiKey.RenewDelegationToken, "0-2", "2+")]
internal sealed partial class RenewDelegationTokenRequest
{
    [Field("0+")] public byte[] Hmac { get; set; } = [];
    [Field("0+")] public long RenewPeriodMs { get; set; }
}

/// <summary>The answer of RenewDelegationToken, API key 39.</summary>
[KafkaMessage(ApiKey.RenewDelegationToken, "0-2", "2+")]
internal sealed partial class RenewDelegationTokenResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public long ExpiryTimestampMs { get; set; }
    [Field("0+")] public int ThrottleTimeMs { get; set; }
}
