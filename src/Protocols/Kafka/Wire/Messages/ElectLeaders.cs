namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ElectLeaders, API key 43.</summary>
[KafkaMessage(ApiKey.ElectLeaders, "0-2", "2+")]
internal sealed partial class ElectLeadersRequest
{
    [Field("1+")] public sbyte ElectionType { get; set; }
    [Field("0+", Nullable = "0+")] public TopicPartitionsEntry[]? TopicPartitions { get; set; } = [];
    [Field("0+")] public int TimeoutMs { get; set; } = 60000;

    public sealed partial class TopicPartitionsEntry
    {
        [Field("0+")] public string Topic { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of ElectLeaders, API key 43.</summary>
[KafkaMessage(ApiKey.ElectLeaders, "0-2", "2+")]
internal sealed partial class ElectLeadersResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("1+")] public short ErrorCode { get; set; }
    [Field("0+")] public ReplicaElectionResult[] ReplicaElectionResults { get; set; } = [];

    public sealed partial class ReplicaElectionResult
    {
        [Field("0+")] public string Topic { get; set; } = "";
        [Field("0+")] public PartitionResult[] PartitionResult { get; set; } = [];
    }

    public sealed partial class PartitionResult
    {
        [Field("0+")] public int PartitionId { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
