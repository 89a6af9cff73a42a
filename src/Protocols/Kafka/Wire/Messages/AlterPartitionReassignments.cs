namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AlterPartitionReassignments, API key 45.</summary>
[KafkaMessage(ApiKey.AlterPartitionReassignments, "0-1", "0+")]
internal sealed partial class AlterPartitionReassignmentsRequest
{
    [Field("0+")] public int TimeoutMs { get; set; } = 60000;
    [Field("1+")] public bool AllowReplicationFactorChange { get; set; } = true;
    [Field("0+")] public ReassignableTopic[] Topics { get; set; } = [];

    public sealed partial class ReassignableTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public ReassignablePartition[] Partitions { get; set; } = [];
    }

    public sealed partial class ReassignablePartition
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+", Nullable = "0+")] public int[]? Replicas { get; set; }
    }
}

/// <summary>The answer of AlterPartitionReassignments, API key 45.</summary>
[KafkaMessage(ApiKey.AlterPartitionReassignments, "0-1", "0+")]
internal sealed partial class AlterPartitionReassignmentsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("1+")] public bool AllowReplicationFactorChange { get; set; } = true;
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public ReassignableTopicResponse[] Responses { get; set; } = [];

    public sealed partial class ReassignableTopicResponse
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public ReassignablePartitionResponse[] Partitions { get; set; } = [];
    }

    public sealed partial class ReassignablePartitionResponse
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
