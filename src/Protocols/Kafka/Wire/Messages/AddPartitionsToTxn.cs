namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AddPartitionsToTxn, API key 24.</summary>
[KafkaMessage(ApiKey.AddPartitionsToTxn, "0-5", "3+")]
internal sealed partial class AddPartitionsToTxnRequest
{
    [Field("4+")] public AddPartitionsToTxnTransaction[] Transactions { get; set; } = [];
    [Field("0-3")] public string V3AndBelowTransactionalId { get; set; } = "";
    [Field("0-3")] public long V3AndBelowProducerId { get; set; }
    [Field("0-3")] public short V3AndBelowProducerEpoch { get; set; }
    [Field("0-3")] public AddPartitionsToTxnTopic[] V3AndBelowTopics { get; set; } = [];

    public sealed partial class AddPartitionsToTxnTransaction
    {
        [Field("4+")] public string TransactionalId { get; set; } = "";
        [Field("4+")] public long ProducerId { get; set; }
        [Field("4+")] public short ProducerEpoch { get; set; }
        [Field("4+")] public bool VerifyOnly { get; set; }
        [Field("4+")] public AddPartitionsToTxnTopic[] Topics { get; set; } = [];
    }

    public sealed partial class AddPartitionsToTxnTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of AddPartitionsToTxn, API key 24.</summary>
[KafkaMessage(ApiKey.AddPartitionsToTxn, "0-5", "3+")]
internal sealed partial class AddPartitionsToTxnResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("4+")] public short ErrorCode { get; set; }
    [Field("4+")] public AddPartitionsToTxnResult[] ResultsByTransaction { get; set; } = [];
    [Field("0-3")] public AddPartitionsToTxnTopicResult[] ResultsByTopicV3AndBelow { get; set; } = [];

    public sealed partial class AddPartitionsToTxnResult
    {
        [Field("4+")] public string TransactionalId { get; set; } = "";
        [Field("4+")] public AddPartitionsToTxnTopicResult[] TopicResults { get; set; } = [];
    }

    public sealed partial class AddPartitionsToTxnTopicResult
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public AddPartitionsToTxnPartitionResult[] ResultsByPartition { get; set; } = [];
    }

    public sealed partial class AddPartitionsToTxnPartitionResult
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short PartitionErrorCode { get; set; }
    }
}
