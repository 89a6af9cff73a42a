namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ShareFetch, API key 78.</summary>
[KafkaMessage(ApiKey.ShareFetch, "1-2", "0+")]
internal sealed partial class ShareFetchRequest
{
    [Field("0+", Nullable = "0+")] public string? GroupId { get; set; }
    [Field("0+", Nullable = "0+")] public string? MemberId { get; set; } = "";
    [Field("0+")] public int ShareSessionEpoch { get; set; }
    [Field("0+")] public int MaxWaitMs { get; set; }
    [Field("0+")] public int MinBytes { get; set; }
    [Field("0+")] public int MaxBytes { get; set; } = int.MaxValue;
    [Field("1+")] public int MaxRecords { get; set; }
    [Field("1+")] public int BatchSize { get; set; }
    [Field("2+")] public sbyte ShareAcquireMode { get; set; }
    [Field("2+")] public bool IsRenewAck { get; set; }
    [Field("0+")] public FetchTopic[] Topics { get; set; } = [];
    [Field("0+")] public ForgottenTopic[] ForgottenTopicsData { get; set; } = [];

    public sealed partial class FetchTopic
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public FetchPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class FetchPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0")] public int PartitionMaxBytes { get; set; }
        [Field("0+")] public AcknowledgementBatch[] AcknowledgementBatches { get; set; } = [];
    }

    public sealed partial class AcknowledgementBatch
    {
        [Field("0+")] public long FirstOffset { get; set; }
        [Field("0+")] public long LastOffset { get; set; }
        [Field("0+")] public sbyte[] AcknowledgeTypes { get; set; } = [];
    }

    public sealed partial class ForgottenTopic
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of ShareFetch, API key 78.</summary>
[KafkaMessage(ApiKey.ShareFetch, "1-2", "0+")]
internal sealed partial class ShareFetchResponse : IDisposable
{
    /// <summary>What the records are read from; disposed when the answer has left.</summary>
    public IDisposable? Owner { get; set; }

    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("1+")] public int AcquisitionLockTimeoutMs { get; set; }
    [Field("0+")] public ShareFetchableTopicResponse[] Responses { get; set; } = [];
    [Field("0+")] public NodeEndpoint[] NodeEndpoints { get; set; } = [];

    public void Dispose() => Owner?.Dispose();

    public sealed partial class ShareFetchableTopicResponse
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public PartitionData[] Partitions { get; set; } = [];
    }

    public sealed partial class PartitionData
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public short AcknowledgeErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? AcknowledgeErrorMessage { get; set; }
        [Field("0+")] public LeaderIdAndEpoch CurrentLeader { get; set; } = new();
        [Field("0+", Nullable = "0")] public RecordBytes Records { get; set; }
        [Field("0+")] public AcquiredRecords[] AcquiredRecords { get; set; } = [];
    }

    public sealed partial class LeaderIdAndEpoch
    {
        [Field("0+")] public int LeaderId { get; set; }
        [Field("0+")] public int LeaderEpoch { get; set; }
    }

    public sealed partial class AcquiredRecords
    {
        [Field("0+")] public long FirstOffset { get; set; }
        [Field("0+")] public long LastOffset { get; set; }
        [Field("0+")] public short DeliveryCount { get; set; }
    }

    public sealed partial class NodeEndpoint
    {
        [Field("0+")] public int NodeId { get; set; }
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public int Port { get; set; }
        [Field("0+", Nullable = "0+")] public string? Rack { get; set; }
    }
}
