namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeProducers, API key 61.</summary>
[KafkaMessage(ApiKey.DescribeProducers, "0-0", "0+")]
internal sealed partial class DescribeProducersRequest
{
    [Field("0+")] public TopicRequest[] Topics { get; set; } = [];

    public sealed partial class TopicRequest
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int[] PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The answer of DescribeProducers, API key 61.</summary>
[KafkaMessage(ApiKey.DescribeProducers, "0-0", "0+")]
internal sealed partial class DescribeProducersResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public TopicResponse[] Topics { get; set; } = [];

    public sealed partial class TopicResponse
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public PartitionResponse[] Partitions { get; set; } = [];
    }

    public sealed partial class PartitionResponse
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public ProducerState[] ActiveProducers { get; set; } = [];
    }

    public sealed partial class ProducerState
    {
        [Field("0+")] public long ProducerId { get; set; }
        [Field("0+")] public int ProducerEpoch { get; set; }
        [Field("0+")] public int LastSequence { get; set; } = -1;
        [Field("0+")] public long LastTimestamp { get; set; } = -1;
        [Field("0+")] public int CoordinatorEpoch { get; set; }
        [Field("0+")] public long CurrentTxnStartOffset { get; set; } = -1;
    }
}
