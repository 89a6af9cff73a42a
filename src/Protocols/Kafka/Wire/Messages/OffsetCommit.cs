namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of OffsetCommit, API key 8.</summary>
[KafkaMessage(ApiKey.OffsetCommit, "0-10", "8+")]
internal sealed partial class OffsetCommitRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("1+")] public int GenerationIdOrMemberEpoch { get; set; } = -1;
    [Field("1+")] public string MemberId { get; set; } = "";
    [Field("7+", Nullable = "7+")] public string? GroupInstanceId { get; set; }
    [Field("2-4")] public long RetentionTimeMs { get; set; } = -1;
    [Field("0+")] public OffsetCommitRequestTopic[] Topics { get; set; } = [];

    public sealed partial class OffsetCommitRequestTopic
    {
        [Field("0-9")] public string Name { get; set; } = "";
        [Field("10+")] public Guid TopicId { get; set; }
        [Field("0+")] public OffsetCommitRequestPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetCommitRequestPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long CommittedOffset { get; set; }
        [Field("6+")] public int CommittedLeaderEpoch { get; set; } = -1;
        [Field("1")] public long CommitTimestamp { get; set; } = -1;
        [Field("0+", Nullable = "0+")] public string? CommittedMetadata { get; set; } = "";
    }
}

/// <summary>The answer of OffsetCommit, API key 8.</summary>
[KafkaMessage(ApiKey.OffsetCommit, "0-10", "8+")]
internal sealed partial class OffsetCommitResponse
{
    [Field("3+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public OffsetCommitResponseTopic[] Topics { get; set; } = [];

    public sealed partial class OffsetCommitResponseTopic
    {
        [Field("0-9")] public string Name { get; set; } = "";
        [Field("10+")] public Guid TopicId { get; set; }
        [Field("0+")] public OffsetCommitResponsePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetCommitResponsePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
    }
}
