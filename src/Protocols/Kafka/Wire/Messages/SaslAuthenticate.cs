namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of SaslAuthenticate, API key 36.</summary>
[KafkaMessage(ApiKey.SaslAuthenticate, "0-2", "2+")]
internal sealed partial class SaslAuthenticateRequest
{
    [Field("0+")] public byte[] AuthBytes { get; set; } = [];
}

/// <summary>The answer of SaslAuthenticate, API key 36.</summary>
[KafkaMessage(ApiKey.SaslAuthenticate, "0-2", "2+")]
internal sealed partial class SaslAuthenticateResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public byte[] AuthBytes { get; set; } = [];
    [Field("1+")] public long SessionLifetimeMs { get; set; }
}
