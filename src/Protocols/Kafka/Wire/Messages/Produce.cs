namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of Produce, API key 0.</summary>
[KafkaMessage(ApiKey.Produce, "0-13", "9+")]
internal sealed partial class ProduceRequest
{
    [Field("3+", Nullable = "3+")] public string? TransactionalId { get; set; }
    [Field("0+")] public short Acks { get; set; }
    [Field("0+")] public int TimeoutMs { get; set; }
    [Field("0+")] public TopicProduceData[] TopicData { get; set; } = [];

    public sealed partial class TopicProduceData
    {
        [Field("0-12")] public string Name { get; set; } = "";
        [Field("13+")] public Guid TopicId { get; set; }
        [Field("0+")] public PartitionProduceData[] PartitionData { get; set; } = [];
    }

    public sealed partial class PartitionProduceData
    {
        [Field("0+")] public int Index { get; set; }
        [Field("0+", Nullable = "0+")] public RecordBytes Records { get; set; }
    }
}

/// <summary>The answer of Produce, API key 0.</summary>
[KafkaMessage(ApiKey.Produce, "0-13", "9+")]
internal sealed partial class ProduceResponse
{
    [Field("0+")] public TopicProduceResponse[] Responses { get; set; } = [];
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("10+", Tag = 0)] public NodeEndpoint[] NodeEndpoints { get; set; } = [];

    public sealed partial class TopicProduceResponse
    {
        [Field("0-12")] public string Name { get; set; } = "";
        [Field("13+")] public Guid TopicId { get; set; }
        [Field("0+")] public PartitionProduceResponse[] PartitionResponses { get; set; } = [];
    }

    public sealed partial class PartitionProduceResponse
    {
        [Field("0+")] public int Index { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public long BaseOffset { get; set; }
        [Field("2+")] public long LogAppendTimeMs { get; set; } = -1;
        [Field("5+")] public long LogStartOffset { get; set; } = -1;
        [Field("8+")] public BatchIndexAndErrorMessage[] RecordErrors { get; set; } = [];
        [Field("8+", Nullable = "8+")] public string? ErrorMessage { get; set; }
        [Field("10+", Tag = 0)] public LeaderIdAndEpoch? CurrentLeader { get; set; }
    }

    public sealed partial class BatchIndexAndErrorMessage
    {
        [Field("8+")] public int BatchIndex { get; set; }
        [Field("8+", Nullable = "8+")] public string? BatchIndexErrorMessage { get; set; }
    }

    public sealed partial class LeaderIdAndEpoch
    {
        [Field("10+")] public int LeaderId { get; set; } = -1;
        [Field("10+")] public int LeaderEpoch { get; set; } = -1;
    }

    public sealed partial class NodeEndpoint
    {
        [Field("10+")] public int NodeId { get; set; }
        [Field("10+")] public string Host { get; set; } = "";
        [Field("10+")] public int Port { get; set; }
        [Field("10+", Nullable = "10+")] public string? Rack { get; set; }
    }
}
