namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AddOffsetsToTxn, API key 25.</summary>
[KafkaMessage(ApiKey.AddOffsetsToTxn, "0-4", "3+")]
internal sealed partial class AddOffsetsToTxnRequest
{
    [Field("0+")] public string TransactionalId { get; set; } = "";
    [Field("0+")] public long ProducerId { get; set; }
    [Field("0+")] public short ProducerEpoch { get; set; }
    [Field("0+")] public string GroupId { get; set; } = "";
}

/// <summary>The answer of AddOffsetsToTxn, API key 25.</summary>
[KafkaMessage(ApiKey.AddOffsetsToTxn, "0-4", "3+")]
internal sealed partial class AddOffsetsToTxnResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
}
