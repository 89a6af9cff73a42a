namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of WriteTxnMarkers, API key 27.</summary>
[KafkaMessage(ApiKey.WriteTxnMarkers, "0-2", "1+")]
internal sealed partial class WriteTxnMarkersRequest
{
    [Field("0+")] public WritableTxnMarker[] Markers { get; set; } = [];

    public sealed partial class WritableTxnMarker
    {
        [Field("0+")] public long ProducerId { get; set; }
        [Field("0+")] public short ProducerEpoch { get; set; }
        [Field("0+")] public bool TransactionResult { get; set; }
        [Field("0+")] public WritableTxnMarkerTopic[] Topics { get; set; } = [];
        [Field("0+")] public int CoordinatorEpoch { get; set; }
        [Field("2+")] public sbyte TransactionVersion { get; set; }
    }

    public sealed partial class WritableTxnMarkerTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int[] PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The answer of WriteTxnMarkers, API key 27.</summary>
[KafkaMessage(ApiKey.WriteTxnMarkers, "0-2", "1+")]
internal sealed partial class WriteTxnMarkersResponse
{
    [Field("0+")] public WritableTxnMarkerResult[] Markers { get; set; } = [];

    public sealed partial class WritableTxnMarkerResult
    {
        [Field("0+")] public long ProducerId { get; set; }
        [Field("0+")] public WritableTxnMarkerTopicResult[] Topics { get; set; } = [];
    }

    public sealed partial class WritableTxnMarkerTopicResult
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public WritableTxnMarkerPartitionResult[] Partitions { get; set; } = [];
    }

    public sealed partial class WritableTxnMarkerPartitionResult
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
    }
}
