namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of InitProducerId, API key 22.</summary>
[KafkaMessage(ApiKey.InitProducerId, "0-6", "2+")]
internal sealed partial class InitProducerIdRequest
{
    [Field("0+", Nullable = "0+")] public string? TransactionalId { get; set; } = "";
    [Field("0+")] public int TransactionTimeoutMs { get; set; }
    [Field("3+")] public long ProducerId { get; set; } = -1;
    [Field("3+")] public short ProducerEpoch { get; set; } = -1;
    [Field("6+")] public bool Enable2Pc { get; set; }
    [Field("6+")] public bool KeepPreparedTxn { get; set; }
}

/// <summary>The answer of InitProducerId, API key 22.</summary>
[KafkaMessage(ApiKey.InitProducerId, "0-6", "2+")]
internal sealed partial class InitProducerIdResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public long ProducerId { get; set; } = -1;
    [Field("0+")] public short ProducerEpoch { get; set; }
    [Field("6+")] public long OngoingTxnProducerId { get; set; } = -1;
    [Field("6+")] public short OngoingTxnProducerEpoch { get; set; } = -1;
}
