namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of OffsetForLeaderEpoch, API key 23.</summary>
[KafkaMessage(ApiKey.OffsetForLeaderEpoch, "0-4", "4+")]
internal sealed partial class OffsetForLeaderEpochRequest
{
    [Field("3+")] public int ReplicaId { get; set; } = -2;
    [Field("0+")] public OffsetForLeaderTopic[] Topics { get; set; } = [];

    public sealed partial class OffsetForLeaderTopic
    {
        [Field("0+")] public string Topic { get; set; } = "";
        [Field("0+")] public OffsetForLeaderPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetForLeaderPartition
    {
        [Field("0+")] public int Partition { get; set; }
        [Field("2+")] public int CurrentLeaderEpoch { get; set; } = -1;
        [Field("0+")] public int LeaderEpoch { get; set; }
    }
}

/// <summary>The answer of OffsetForLeaderEpoch, API key 23.</summary>
[KafkaMessage(ApiKey.OffsetForLeaderEpoch, "0-4", "4+")]
internal sealed partial class OffsetForLeaderEpochResponse
{
    [Field("2+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public OffsetForLeaderTopicResult[] Topics { get; set; } = [];

    public sealed partial class OffsetForLeaderTopicResult
    {
        [Field("0+")] public string Topic { get; set; } = "";
        [Field("0+")] public EpochEndOffset[] Partitions { get; set; } = [];
    }

    public sealed partial class EpochEndOffset
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+")] public int Partition { get; set; }
        [Field("1+")] public int LeaderEpoch { get; set; } = -1;
        [Field("0+")] public long EndOffset { get; set; } = -1;
    }
}
