namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ShareAcknowledge, API key 79.</summary>
[KafkaMessage(ApiKey.ShareAcknowledge, "1-2", "0+")]
internal sealed partial class ShareAcknowledgeRequest
{
    [Field("0+", Nullable = "0+")] public string? GroupId { get; set; }
    [Field("0+", Nullable = "0+")] public string? MemberId { get; set; } = "";
    [Field("0+")] public int ShareSessionEpoch { get; set; }
    [Field("2+")] public bool IsRenewAck { get; set; }
    [Field("0+")] public AcknowledgeTopic[] Topics { get; set; } = [];

    public sealed partial class AcknowledgeTopic
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public AcknowledgePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class AcknowledgePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public AcknowledgementBatch[] AcknowledgementBatches { get; set; } = [];
    }

    public sealed partial class AcknowledgementBatch
    {
        [Field("0+")] public long FirstOffset { get; set; }
        [Field("0+")] public long LastOffset { get; set; }
        [Field("0+")] public sbyte[] AcknowledgeTypes { get; set; } = [];
    }
}

/// <summary>The answer of ShareAcknowledge, API key 79.</summary>
[KafkaMessage(ApiKey.ShareAcknowledge, "1-2", "0+")]
internal sealed partial class ShareAcknowledgeResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("2+")] public int AcquisitionLockTimeoutMs { get; set; }
    [Field("0+")] public ShareAcknowledgeTopicResponse[] Responses { get; set; } = [];
    [Field("0+")] public NodeEndpoint[] NodeEndpoints { get; set; } = [];

    public sealed partial class ShareAcknowledgeTopicResponse
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public PartitionData[] Partitions { get; set; } = [];
    }

    public sealed partial class PartitionData
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public LeaderIdAndEpoch CurrentLeader { get; set; } = new();
    }

    public sealed partial class LeaderIdAndEpoch
    {
        [Field("0+")] public int LeaderId { get; set; }
        [Field("0+")] public int LeaderEpoch { get; set; }
    }

    public sealed partial class NodeEndpoint
    {
        [Field("0+")] public int NodeId { get; set; }
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public int Port { get; set; }
        [Field("0+", Nullable = "0+")] public string? Rack { get; set; }
    }
}
