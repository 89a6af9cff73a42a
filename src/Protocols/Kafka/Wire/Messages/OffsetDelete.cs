namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of OffsetDelete, API key 47.</summary>
[KafkaMessage(ApiKey.OffsetDelete, "0-0")]
internal sealed partial class OffsetDeleteRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public OffsetDeleteRequestTopic[] Topics { get; set; } = [];

    public sealed partial class OffsetDeleteRequestTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public OffsetDeleteRequestPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetDeleteRequestPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
    }
}

/// <summary>The answer of OffsetDelete, API key 47.</summary>
[KafkaMessage(ApiKey.OffsetDelete, "0-0")]
internal sealed partial class OffsetDeleteResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public OffsetDeleteResponseTopic[] Topics { get; set; } = [];

    public sealed partial class OffsetDeleteResponseTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public OffsetDeleteResponsePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class OffsetDeleteResponsePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
    }
}
