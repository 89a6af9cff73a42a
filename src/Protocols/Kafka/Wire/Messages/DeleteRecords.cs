namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DeleteRecords, API key 21.</summary>
[KafkaMessage(ApiKey.DeleteRecords, "0-2", "2+")]
internal sealed partial class DeleteRecordsRequest
{
    [Field("0+")] public DeleteRecordsTopic[] Topics { get; set; } = [];
    [Field("0+")] public int TimeoutMs { get; set; }

    public sealed partial class DeleteRecordsTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public DeleteRecordsPartition[] Partitions { get; set; } = [];
    }

    public sealed partial class DeleteRecordsPartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long Offset { get; set; }
    }
}

/// <summary>The answer of DeleteRecords, API key 21.</summary>
[KafkaMessage(ApiKey.DeleteRecords, "0-2", "2+")]
internal sealed partial class DeleteRecordsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DeleteRecordsTopicResult[] Topics { get; set; } = [];

    public sealed partial class DeleteRecordsTopicResult
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public DeleteRecordsPartitionResult[] Partitions { get; set; } = [];
    }

    public sealed partial class DeleteRecordsPartitionResult
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public long LowWatermark { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
    }
}
