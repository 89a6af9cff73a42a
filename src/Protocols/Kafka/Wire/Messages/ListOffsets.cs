namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ListOffsets, API key 2.</summary>
[KafkaMessage(ApiKey.ListOffsets, "0-11", "6+")]
internal sealed partial class ListOffsetsRequest
{
    [Field("0+")] public int ReplicaId { get; set; }
    [Field("2+")] public sbyte IsolationLevel { get; set; }
    [Field("0+")] public ListOffsetsTopic[] Topics { get; set; } = [];
    [Field("10+")] public int TimeoutMs { get; set; }

    public sealed partial class ListOffsetsTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public ListOffsetsPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class ListOffsetsPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("4+")] public int CurrentLeaderEpoch { get; set; } = -1;
        [Field("0+")] public long Timestamp { get; set; }
        [Field("0")] public int MaxNumOffsets { get; set; } = 1;
    }
}

/// <summary>The answer of ListOffsets, API key 2.</summary>
[KafkaMessage(ApiKey.ListOffsets, "0-11", "6+")]
internal sealed partial class ListOffsetsResponse
{
    [Field("2+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public ListOffsetsTopicResponse[] Topics { get; set; } = [];

    public sealed partial class ListOffsetsTopicResponse
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public ListOffsetsPartitionResponse[] Partitions { get; set; } = [];
    }

    public sealed partial class ListOffsetsPartitionResponse
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0")] public long[] OldStyleOffsets { get; set; } = [];
        [Field("1+")] public long Timestamp { get; set; } = -1;
        [Field("1+")] public long Offset { get; set; } = -1;
        [Field("4+")] public int LeaderEpoch { get; set; } = -1;
    }
}
