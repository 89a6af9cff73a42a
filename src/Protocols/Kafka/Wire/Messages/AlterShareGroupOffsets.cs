namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AlterShareGroupOffsets, API key 91.</summary>
[KafkaMessage(ApiKey.AlterShareGroupOffsets, "0-0", "0+")]
internal sealed partial class AlterShareGroupOffsetsRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public AlterShareGroupOffsetsRequestTopic[] Topics { get; set; } = [];

    public sealed partial class AlterShareGroupOffsetsRequestTopic
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public AlterShareGroupOffsetsRequestPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class AlterShareGroupOffsetsRequestPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long StartOffset { get; set; }
    }
}

/// <summary>The answer of AlterShareGroupOffsets, API key 91.</summary>
[KafkaMessage(ApiKey.AlterShareGroupOffsets, "0-0", "0+")]
internal sealed partial class AlterShareGroupOffsetsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public AlterShareGroupOffsetsResponseTopic[] Responses { get; set; } = [];

    public sealed partial class AlterShareGroupOffsetsResponseTopic
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public AlterShareGroupOffsetsResponsePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class AlterShareGroupOffsetsResponsePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
