namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of CreateTopics, API key 19.</summary>
[KafkaMessage(ApiKey.CreateTopics, "0-7", "5+")]
internal sealed partial class CreateTopicsRequest
{
    [Field("0+")] public CreatableTopic[] Topics { get; set; } = [];
    [Field("0+")] public int TimeoutMs { get; set; } = 60000;
    [Field("1+")] public bool ValidateOnly { get; set; }

    public sealed partial class CreatableTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int NumPartitions { get; set; }
        [Field("0+")] public short ReplicationFactor { get; set; }
        [Field("0+")] public CreatableReplicaAssignment[] Assignments { get; set; } = [];
        [Field("0+")] public CreatableTopicConfig[] Configs { get; set; } = [];
    }

    public sealed partial class CreatableReplicaAssignment
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public int[] BrokerIds { get; set; } = [];
    }

    public sealed partial class CreatableTopicConfig
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? Value { get; set; } = "";
    }
}

/// <summary>The answer of CreateTopics, API key 19.</summary>
[KafkaMessage(ApiKey.CreateTopics, "0-7", "5+")]
internal sealed partial class CreateTopicsResponse
{
    [Field("2+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public CreatableTopicResult[] Topics { get; set; } = [];

    public sealed partial class CreatableTopicResult
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("7+")] public Guid TopicId { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("1+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("5+", Tag = 0)] public short TopicConfigErrorCode { get; set; }
        [Field("5+")] public int NumPartitions { get; set; } = -1;
        [Field("5+")] public short ReplicationFactor { get; set; } = -1;
        [Field("5+", Nullable = "5+")] public CreatableTopicConfigs[]? Configs { get; set; } = [];
    }

    public sealed partial class CreatableTopicConfigs
    {
        [Field("5+")] public string Name { get; set; } = "";
        [Field("5+", Nullable = "5+")] public string? Value { get; set; } = "";
        [Field("5+")] public bool ReadOnly { get; set; }
        [Field("5+")] public sbyte ConfigSource { get; set; } = -1;
        [Field("5+")] public bool IsSensitive { get; set; }
    }
}
