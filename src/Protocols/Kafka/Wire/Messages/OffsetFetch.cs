namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of OffsetFetch, API key 9.</summary>
[KafkaMessage(ApiKey.OffsetFetch, "0-10", "6+")]
internal sealed partial class OffsetFetchRequest
{
    [Field("0-7")] public string GroupId { get; set; } = "";
    [Field("0-7", Nullable = "2-7")] public OffsetFetchRequestTopic[]? Topics { get; set; } = [];
    [Field("8+")] public OffsetFetchRequestGroup[] Groups { get; set; } = [];
    [Field("7+")] public bool RequireStable { get; set; }

    public sealed partial class OffsetFetchRequestTopic
    {
        [Field("0-7")] public string Name { get; set; } = "";
        [Field("0-7")] public int[] PartitionIndexes { get; set; } = [];
    }

    public sealed partial class OffsetFetchRequestGroup
    {
        [Field("8+")] public string GroupId { get; set; } = "";
        [Field("9+", Nullable = "9+")] public string? MemberId { get; set; }
        [Field("9+")] public int MemberEpoch { get; set; } = -1;
        [Field("8+", Nullable = "8+")] public OffsetFetchRequestTopics[]? Topics { get; set; } = [];
    }

    public sealed partial class OffsetFetchRequestTopics
    {
        [Field("8-9")] public string Name { get; set; } = "";
        [Field("10+")] public Guid TopicId { get; set; }
        [Field("8+")] public int[] PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The answer of OffsetFetch, API key 9.</summary>
[KafkaMessage(ApiKey.OffsetFetch, "0-10", "6+")]
internal sealed partial class OffsetFetchResponse
{
    [Field("3+")] public int ThrottleTimeMs { get; set; }
    [Field("0-7")] public OffsetFetchResponseTopic[] Topics { get; set; } = [];
    [Field("2-7")] public short ErrorCode { get; set; }
    [Field("8+")] public OffsetFetchResponseGroup[] Groups { get; set; } = [];

    public sealed partial class OffsetFetchResponseTopic
    {
        [Field("0-7")] public string Name { get; set; } = "";
        [Field("0-7")] public OffsetFetchResponsePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetFetchResponsePartition
    {
        [Field("0-7")] public int PartitionIndex { get; set; }
        [Field("0-7")] public long CommittedOffset { get; set; }
        [Field("5-7")] public int CommittedLeaderEpoch { get; set; } = -1;
        [Field("0-7", Nullable = "0-7")] public string? Metadata { get; set; } = "";
        [Field("0-7")] public short ErrorCode { get; set; }
    }

    public sealed partial class OffsetFetchResponseGroup
    {
        [Field("8+")] public string GroupId { get; set; } = "";
        [Field("8+")] public OffsetFetchResponseTopics[] Topics { get; set; } = [];
        [Field("8+")] public short ErrorCode { get; set; }
    }

    public sealed partial class OffsetFetchResponseTopics
    {
        [Field("8-9")] public string Name { get; set; } = "";
        [Field("10+")] public Guid TopicId { get; set; }
        [Field("8+")] public OffsetFetchResponsePartitions[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetFetchResponsePartitions
    {
        [Field("8+")] public int PartitionIndex { get; set; }
        [Field("8+")] public long CommittedOffset { get; set; }
        [Field("8+")] public int CommittedLeaderEpoch { get; set; } = -1;
        [Field("8+", Nullable = "8+")] public string? Metadata { get; set; } = "";
        [Field("8+")] public short ErrorCode { get; set; }
    }
}
