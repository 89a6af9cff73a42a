namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of EndTxn, API key 26.</summary>
[KafkaMessage(ApiKey.EndTxn, "0-5", "3+")]
internal sealed partial class EndTxnRequest
{
    [Field("0+")] public string TransactionalId { get; set; } = "";
    [Field("0+")] public long ProducerId { get; set; }
    [Field("0+")] public short ProducerEpoch { get; set; }
    [Field("0+")] public bool Committed { get; set; }
}

/// <summary>The answer of EndTxn, API key 26.</summary>
[KafkaMessage(ApiKey.EndTxn, "0-5", "3+")]
internal sealed partial class EndTxnResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("5+")] public long ProducerId { get; set; } = -1;
    [Field("5+")] public short ProducerEpoch { get; set; } = -1;
}
