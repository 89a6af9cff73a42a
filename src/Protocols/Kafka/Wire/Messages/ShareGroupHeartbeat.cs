namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ShareGroupHeartbeat, API key 76.</summary>
[KafkaMessage(ApiKey.ShareGroupHeartbeat, "1-1", "0+")]
internal sealed partial class ShareGroupHeartbeatRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public string MemberId { get; set; } = "";
    [Field("0+")] public int MemberEpoch { get; set; }
    [Field("0+", Nullable = "0+")] public string? RackId { get; set; }
    [Field("0+", Nullable = "0+")] public string[]? SubscribedTopicNames { get; set; }
}

/// <summary>The answer of ShareGroupHeartbeat, API key 76.</summary>
[KafkaMessage(ApiKey.ShareGroupHeartbeat, "1-1", "0+")]
internal sealed partial class ShareGroupHeartbeatResponse
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
