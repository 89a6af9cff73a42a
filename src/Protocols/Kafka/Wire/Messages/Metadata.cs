namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of Metadata, API key 3.</summary>
[KafkaMessage(ApiKey.Metadata, "0-13", "9+")]
internal sealed partial class MetadataRequest
{
    [Field("0+", Nullable = "1+")] public MetadataRequestTopic[]? Topics { get; set; } = [];
    [Field("4+")] public bool AllowAutoTopicCreation { get; set; } = true;
    [Field("8-10")] public bool IncludeClusterAuthorizedOperations { get; set; }
    [Field("8+")] public bool IncludeTopicAuthorizedOperations { get; set; }

    public sealed partial class MetadataRequestTopic
    {
        [Field("10+")] public Guid TopicId { get; set; }
        [Field("0+", Nullable = "10+")] public string? Name { get; set; } = "";
    }
}

/// <summary>The answer of Metadata, API key 3.</summary>
[KafkaMessage(ApiKey.Metadata, "0-13", "9+")]
internal sealed partial class MetadataResponse
{
    [Field("3+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public MetadataResponseBroker[] Brokers { get; set; } = [];
    [Field("2+", Nullable = "2+")] public string? ClusterId { get; set; }
    [Field("1+")] public int ControllerId { get; set; } = -1;
    [Field("0+")] public MetadataResponseTopic[] Topics { get; set; } = [];
    [Field("8-10")] public int ClusterAuthorizedOperations { get; set; } = -2147483648;
    [Field("13+")] public short ErrorCode { get; set; }

    public sealed partial class MetadataResponseBroker
    {
        [Field("0+")] public int NodeId { get; set; }
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public int Port { get; set; }
        [Field("1+", Nullable = "1+")] public string? Rack { get; set; }
    }

    public sealed partial class MetadataResponseTopic
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "12+")] public string? Name { get; set; } = "";
        [Field("10+")] public Guid TopicId { get; set; }
        [Field("1+")] public bool IsInternal { get; set; }
        [Field("0+")] public MetadataResponsePartition[] Partitions { get; set; } = [];
        [Field("8+")] public int TopicAuthorizedOperations { get; set; } = -2147483648;
    }

    public sealed partial class MetadataResponsePartition
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public int LeaderId { get; set; }
        [Field("7+")] public int LeaderEpoch { get; set; } = -1;
        [Field("0+")] public int[] ReplicaNodes { get; set; } = [];
        [Field("0+")] public int[] IsrNodes { get; set; } = [];
        [Field("5+")] public int[] OfflineReplicas { get; set; } = [];
    }
}
