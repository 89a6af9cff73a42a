namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeTransactions, API key 65.</summary>
[KafkaMessage(ApiKey.DescribeTransactions, "0-0", "0+")]
internal sealed partial class DescribeTransactionsRequest
{
    [Field("0+")] public string[] TransactionalIds { get; set; } = [];
}

/// <summary>The answer of DescribeTransactions, API key 65.</summary>
[KafkaMessage(ApiKey.DescribeTransactions, "0-0", "0+")]
internal sealed partial class DescribeTransactionsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public TransactionStateEntry[] TransactionStates { get; set; } = [];

    public sealed partial class TransactionStateEntry
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public string TransactionalId { get; set; } = "";
        [Field("0+")] public string TransactionState { get; set; } = "";
        [Field("0+")] public int TransactionTimeoutMs { get; set; }
        [Field("0+")] public long TransactionStartTimeMs { get; set; }
        [Field("0+")] public long ProducerId { get; set; }
        [Field("0+")] public short ProducerEpoch { get; set; }
        [Field("0+")] public TopicData[] Topics { get; set; } = [];
    }

    public sealed partial class TopicData
    {
        [Field("0+")] public string Topic { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}
