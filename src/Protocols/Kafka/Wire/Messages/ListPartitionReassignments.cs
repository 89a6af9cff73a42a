namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ListPartitionReassignments, API key 46.</summary>
[KafkaMessage(ApiKey.ListPartitionReassignments, "0-0", "0+")]
internal sealed partial class ListPartitionReassignmentsRequest
{
    [Field("0+")] public int TimeoutMs { get; set; } = 60000;
    [Field("0+", Nullable = "0+")] public ListPartitionReassignmentsTopics[]? Topics { get; set; }

    public sealed partial class ListPartitionReassignmentsTopics
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int[] PartitionIndexes { get; set; } = [];
    }
}

/// <summary>The answer of ListPartitionReassignments, API key 46.</summary>
[KafkaMessage(ApiKey.ListPartitionReassignments, "0-0", "0+")]
internal sealed partial class ListPartitionReassignmentsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public OngoingTopicReassignment[] Topics { get; set; } = [];

    public sealed partial class OngoingTopicReassignment
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public OngoingPartitionReassignment[] Partitions { get; set; } = [];
    }

    public sealed partial class OngoingPartitionReassignment
    {
        [Field("0+")] public int PartitionIndex { get; set; }
        [Field("0+")] public int[] Replicas { get; set; } = [];
        [Field("0+")] public int[] AddingReplicas { get; set; } = [];
        [Field("0+")] public int[] RemovingReplicas { get; set; } = [];
    }
}
