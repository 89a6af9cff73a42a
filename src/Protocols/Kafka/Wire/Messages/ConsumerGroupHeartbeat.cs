namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ConsumerGroupHeartbeat, API key 68.</summary>
[KafkaMessage(ApiKey.ConsumerGroupHeartbeat, "0-1", "0+")]
internal sealed partial class ConsumerGroupHeartbeatRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public string MemberId { get; set; } = "";
    [Field("0+")] public int MemberEpoch { get; set; }
    [Field("0+", Nullable = "0+")] public string? InstanceId { get; set; }
    [Field("0+", Nullable = "0+")] public string? RackId { get; set; }
    [Field("0+")] public int RebalanceTimeoutMs { get; set; } = -1;
    [Field("0+", Nullable = "0+")] public string[]? SubscribedTopicNames { get; set; }
    [Field("1+", Nullable = "1+")] public string? SubscribedTopicRegex { get; set; }
    [Field("0+", Nullable = "0+")] public string? ServerAssignor { get; set; }
    [Field("0+", Nullable = "0+")] public TopicPartitionsEntry[]? TopicPartitions { get; set; }

    public sealed partial class TopicPartitionsEntry
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}

/// <summary>The answer of ConsumerGroupHeartbeat, API key 68.</summary>
[KafkaMessage(ApiKey.ConsumerGroupHeartbeat, "0-1", "0+")]
internal sealed partial class ConsumerGroupHeartbeatResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+", Nullable = "0+")] public string? MemberId { get; set; }
    [Field("0+")] public int MemberEpoch { get; set; }
    [Field("0+")] public int HeartbeatIntervalMs { get; set; }
    [Field("0+", Nullable = "0+")] public AssignmentEntry? Assignment { get; set; }

    public sealed partial class AssignmentEntry
    {
        [Field("0+")] public TopicPartitions[] TopicPartitions { get; set; } = [];
    }

    public sealed partial class TopicPartitions
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}
