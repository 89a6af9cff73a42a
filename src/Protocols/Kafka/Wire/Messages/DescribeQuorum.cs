namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeQuorum, API key 55.</summary>
[KafkaMessage(ApiKey.DescribeQuorum, "0-2", "0+")]
internal sealed partial class DescribeQuorumRequest
{
    [Field("0+")] public TopicData[] Topics { get; set; } = [];

    public sealed partial class TopicData
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public PartitionData[] Partitions { get; set; } = [];
    }

    public sealed partial class PartitionData
    {
        [Field("0+")] public int PartitionIndex { get; set; }
    }
}

/// <summary>The answer of DescribeQuorum, API key 55.</summary>
[KafkaMessage(ApiKey.DescribeQuorum, "0-2", "0+")]
internal sealed partial class DescribeQuorumResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("2+", Nullable = "2+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public TopicData[] Topics { get; set; } = [];
    [Field("2+")] public Node[] Nodes { get; set; } = [];

    public sealed partial class TopicData
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public PartitionData[] Partitions { get; set; } = [];
    }

    public sealed partial class PartitionData
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("2+", Nullable = "2+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public int LeaderId { get; set; }
        [Field("0+")] public int LeaderEpoch { get; set; }
        [Field("0+")] public long HighWatermark { get; set; }
        [Field("0+")] public ReplicaState[] CurrentVoters { get; set; } = [];
        [Field("0+")] public ReplicaState[] Observers { get; set; } = [];
    }

    public sealed partial class ReplicaState
    {
        [Field("0+")] public int ReplicaId { get; set; }
        [Field("2+")] public Guid ReplicaDirectoryId { get; set; }
        [Field("0+")] public long LogEndOffset { get; set; }
        [Field("1+")] public long LastFetchTimestamp { get; set; } = -1;
        [Field("1+")] public long LastCaughtUpTimestamp { get; set; } = -1;
    }

    public sealed partial class Node
    {
        [Field("2+")] public int NodeId { get; set; }
        [Field("2+")] public Listener[] Listeners { get; set; } = [];
    }

    public sealed partial class Listener
    {
        [Field("2+")] public string Name { get; set; } = "";
        [Field("2+")] public string Host { get; set; } = "";
        [Field("2+")] public ushort Port { get; set; }
    }
}
