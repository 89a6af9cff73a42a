namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of TxnOffsetCommit, API key 28.</summary>
[KafkaMessage(ApiKey.TxnOffsetCommit, "0-6", "3+")]
internal sealed partial class TxnOffsetCommitRequest
{
    [Field("0+")] public string TransactionalId { get; set; } = "";
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public long ProducerId { get; set; }
    [Field("0+")] public short ProducerEpoch { get; set; }
    [Field("3+")] public int GenerationIdOrMemberEpoch { get; set; } = -1;
    [Field("3+")] public string MemberId { get; set; } = "";
    [Field("3+", Nullable = "3+")] public string? GroupInstanceId { get; set; }
    [Field("0+")] public TxnOffsetCommitRequestTopic[] Topics { get; set; } = [];

    public sealed partial class TxnOffsetCommitRequestTopic
    {
        [Field("0-5")] public string Name { get; set; } = "";
        [Field("6+")] public Guid TopicId { get; set; }
        [Field("0+")] public TxnOffsetCommitRequestPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class TxnOffsetCommitRequestPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long CommittedOffset { get; set; }
        [Field("2+")] public int CommittedLeaderEpoch { get; set; } = -1;
        [Field("0+", Nullable = "0+")] public string? CommittedMetadata { get; set; } = "";
    }
}

/// <summary>The answer of TxnOffsetCommit, API key 28.</summary>
[KafkaMessage(ApiKey.TxnOffsetCommit, "0-6", "3+")]
internal sealed partial class TxnOffsetCommitResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public TxnOffsetCommitResponseTopic[] Topics { get; set; } = [];

    public sealed partial class TxnOffsetCommitResponseTopic
    {
        [Field("0-5")] public string Name { get; set; } = "";
        [Field("6+")] public Guid TopicId { get; set; }
        [Field("0+")] public TxnOffsetCommitResponsePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class TxnOffsetCommitResponsePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
    }
}
