namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeTopicPartitions, API key 75.</summary>
[KafkaMessage(ApiKey.DescribeTopicPartitions, "0-0", "0+")]
internal sealed partial class DescribeTopicPartitionsRequest
{
    [Field("0+")] public TopicRequest[] Topics { get; set; } = [];
    [Field("0+")] public int ResponsePartitionLimit { get; set; } = 2000;
    [Field("0+", Nullable = "0+")] public CursorEntry? Cursor { get; set; }

    public sealed partial class TopicRequest
    {
        [Field("0+")] public string Name { get; set; } = "";
    }

    public sealed partial class CursorEntry
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public int PartitionIndex { get; set; }
    }
}

/// <summary>The answer of DescribeTopicPartitions, API key 75.</summary>
[KafkaMessage(ApiKey.DescribeTopicPartitions, "0-0", "0+")]
internal sealed partial class DescribeTopicPartitionsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DescribeTopicPartitionsResponseTopic[] Topics { get; set; } = [];
    [Field("0+", Nullable = "0+")] public Cursor? NextCursor { get; set; }

    public sealed partial class DescribeTopicPartitionsResponseTopic
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? Name { get; set; } = "";
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public bool IsInternal { get; set; }
        [Field("0+")] public DescribeTopicPartitionsResponsePartition[] Partitions { get; set; } = [];
        [Field("0+")] public int TopicAuthorizedOperations { get; set; } = -2147483648;
    }

    public sealed partial class DescribeTopicPartitionsResponsePartition
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public int LeaderId { get; set; }
        [Field("0+")] public int LeaderEpoch { get; set; } = -1;
        [Field("0+")] public int[] ReplicaNodes { get; set; } = [];
        [Field("0+")] public int[] IsrNodes { get; set; } = [];
        [Field("0+", Nullable = "0+")] public int[]? EligibleLeaderReplicas { get; set; }
        [Field("0+", Nullable = "0+")] public int[]? LastKnownElr { get; set; }
        [Field("0+")] public int[] OfflineReplicas { get; set; } = [];
    }

    public sealed partial class Cursor
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public int PartitionIndex { get; set; }
    }
}
