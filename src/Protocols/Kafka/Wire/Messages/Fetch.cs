namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of Fetch, API key 1.</summary>
[KafkaMessage(ApiKey.Fetch, "0-18", "12+")]
internal sealed partial class FetchRequest
{
    [Field("12+", Nullable = "12+", Tag = 0)] public string? ClusterId { get; set; }
    [Field("0-14")] public int ReplicaId { get; set; } = -1;
    [Field("15+", Tag = 1)] public ReplicaStateEntry? ReplicaState { get; set; }
    [Field("0+")] public int MaxWaitMs { get; set; }
    [Field("0+")] public int MinBytes { get; set; }
    [Field("3+")] public int MaxBytes { get; set; } = int.MaxValue;
    [Field("4+")] public sbyte IsolationLevel { get; set; }
    [Field("7+")] public int SessionId { get; set; }
    [Field("7+")] public int SessionEpoch { get; set; } = -1;
    [Field("0+")] public FetchTopic[] Topics { get; set; } = [];
    [Field("7+")] public ForgottenTopic[] ForgottenTopicsData { get; set; } = [];
    [Field("11+")] public string RackId { get; set; } = "";

    public sealed partial class ReplicaStateEntry
    {
        [Field("15+")] public int ReplicaId { get; set; } = -1;
        [Field("15+")] public long ReplicaEpoch { get; set; } = -1;
    }

    public sealed partial class FetchTopic
    {
        [Field("0-12")] public string Topic { get; set; } = "";
        [Field("13+")] public Guid TopicId { get; set; }
        [Field("0+")] public FetchPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class FetchPartition
    {
        [Field("0+")] public int Partition { get; set; }
        [Field("9+")] public int CurrentLeaderEpoch { get; set; } = -1;
        [Field("0+")] public long FetchOffset { get; set; }
        [Field("12+")] public int LastFetchedEpoch { get; set; } = -1;
        [Field("5+")] public long LogStartOffset { get; set; } = -1;
        [Field("0+")] public int PartitionMaxBytes { get; set; }
        [Field("17+", Tag = 0)] public Guid ReplicaDirectoryId { get; set; }
        [Field("18+", Tag = 1)] public long HighWatermark { get; set; } = long.MaxValue;
    }

    public sealed partial class ForgottenTopic
    {
        [Field("7-12")] public string Topic { get; set; } = "";
        [Field("13+")] public Guid TopicId { get; set; }
        [Field("7+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of Fetch, API key 1.</summary>
[KafkaMessage(ApiKey.Fetch, "0-18", "12+")]
internal sealed partial class FetchResponse : IDisposable
{
    /// <summary>What the records are read from; disposed when the answer has left.</summary>
    public IDisposable? Owner { get; set; }

    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("7+")] public short ErrorCode { get; set; }
    [Field("7+")] public int SessionId { get; set; }
    [Field("0+")] public FetchableTopicResponse[] Responses { get; set; } = [];
    [Field("16+", Tag = 0)] public NodeEndpoint[] NodeEndpoints { get; set; } = [];

    public void Dispose() => Owner?.Dispose();

    public sealed partial class FetchableTopicResponse
    {
        [Field("0-12")] public string Topic { get; set; } = "";
        [Field("13+")] public Guid TopicId { get; set; }
        [Field("0+")] public PartitionData[] Partitions { get; set; } = [];
    }

    public sealed partial class PartitionData
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public long HighWatermark { get; set; }
        [Field("4+")] public long LastStableOffset { get; set; } = -1;
        [Field("5+")] public long LogStartOffset { get; set; } = -1;
        [Field("12+", Tag = 0)] public EpochEndOffset? DivergingEpoch { get; set; }
        [Field("12+", Tag = 1)] public LeaderIdAndEpoch? CurrentLeader { get; set; }
        [Field("12+", Tag = 2)] public SnapshotId? SnapshotId { get; set; }
        [Field("4+", Nullable = "4+")] public AbortedTransaction[]? AbortedTransactions { get; set; } = [];
        [Field("11+")] public int PreferredReadReplica { get; set; } = -1;
        [Field("0+", Nullable = "0+")] public RecordBytes Records { get; set; }
    }

    public sealed partial class EpochEndOffset
    {
        [Field("12+")] public int Epoch { get; set; } = -1;
        [Field("12+")] public long EndOffset { get; set; } = -1;
    }

    public sealed partial class LeaderIdAndEpoch
    {
        [Field("12+")] public int LeaderId { get; set; } = -1;
        [Field("12+")] public int LeaderEpoch { get; set; } = -1;
    }

    public sealed partial class SnapshotId
    {
        [Field("0+")] public long EndOffset { get; set; } = -1;
        [Field("0+")] public int Epoch { get; set; } = -1;
    }

    public sealed partial class AbortedTransaction
    {
        [Field("4+")] public long ProducerId { get; set; }
        [Field("4+")] public long FirstOffset { get; set; }
    }

    public sealed partial class NodeEndpoint
    {
        [Field("16+")] public int NodeId { get; set; }
        [Field("16+")] public string Host { get; set; } = "";
        [Field("16+")] public int Port { get; set; }
        [Field("16+", Nullable = "16+")] public string? Rack { get; set; }
    }
}
