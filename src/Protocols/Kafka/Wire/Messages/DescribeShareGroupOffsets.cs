namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeShareGroupOffsets, API key 90.</summary>
[KafkaMessage(ApiKey.DescribeShareGroupOffsets, "0-1", "0+")]
internal sealed partial class DescribeShareGroupOffsetsRequest
{
    [Field("0+")] public DescribeShareGroupOffsetsRequestGroup[] Groups { get; set; } = [];

    public sealed partial class DescribeShareGroupOffsetsRequestGroup
    {
        [Field("0+")] public string GroupId { get; set; } = "";
        [Field("0+", Nullable = "0+")] public DescribeShareGroupOffsetsRequestTopic[]? Topics { get; set; } = [];
    }

    public sealed partial class DescribeShareGroupOffsetsRequestTopic
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of DescribeShareGroupOffsets, API key 90.</summary>
[KafkaMessage(ApiKey.DescribeShareGroupOffsets, "0-1", "0+")]
internal sealed partial class DescribeShareGroupOffsetsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DescribeShareGroupOffsetsResponseGroup[] Groups { get; set; } = [];

    public sealed partial class DescribeShareGroupOffsetsResponseGroup
    {
        [Field("0+")] public string GroupId { get; set; } = "";
        [Field("0+")] public DescribeShareGroupOffsetsResponseTopic[] Topics { get; set; } = [];
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }

    public sealed partial class DescribeShareGroupOffsetsResponseTopic
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public DescribeShareGroupOffsetsResponsePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class DescribeShareGroupOffsetsResponsePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long StartOffset { get; set; }
        [Field("0+")] public int LeaderEpoch { get; set; }
        [Field("1+")] public long Lag { get; set; } = -1;
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
