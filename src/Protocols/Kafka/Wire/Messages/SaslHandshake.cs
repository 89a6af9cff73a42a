namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of SaslHandshake, API key 17.</summary>
[KafkaMessage(ApiKey.SaslHandshake, "0-1")]
internal sealed partial class SaslHandshakeRequest
{
    [Field("0+")] public string Mechanism { get; set; } = "";
}

/// <summary>The answer of SaslHandshake, API key 17.</summary>
[KafkaMessage(ApiKey.SaslHandshake, "0-1")]
internal sealed partial class SaslHandshakeResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public string[] Mechanisms { get; set; } = [];
}
