namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ConsumerGroupDescribe, API key 69.</summary>
[KafkaMessage(ApiKey.ConsumerGroupDescribe, "0-1", "0+")]
internal sealed partial class ConsumerGroupDescribeRequest
{
    [Field("0+")] public string[] GroupIds { get; set; } = [];
    [Field("0+")] public bool IncludeAuthorizedOperations { get; set; }
}

/// <summary>The answer of ConsumerGroupDescribe, API key 69.</summary>
[KafkaMessage(ApiKey.ConsumerGroupDescribe, "0-1", "0+")]
internal sealed partial class ConsumerGroupDescribeResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DescribedGroup[] Groups { get; set; } = [];

    public sealed partial class DescribedGroup
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public string GroupId { get; set; } = "";
        [Field("0+")] public string GroupState { get; set; } = "";
        [Field("0+")] public int GroupEpoch { get; set; }
        [Field("0+")] public int AssignmentEpoch { get; set; }
        [Field("0+")] public string AssignorName { get; set; } = "";
        [Field("0+")] public Member[] Members { get; set; } = [];
        [Field("0+")] public int AuthorizedOperations { get; set; } = -2147483648;
    }

    public sealed partial class Member
    {
        [Field("0+")] public string MemberId { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? InstanceId { get; set; }
        [Field("0+", Nullable = "0+")] public string? RackId { get; set; }
        [Field("0+")] public int MemberEpoch { get; set; }
        [Field("0+")] public string ClientId { get; set; } = "";
        [Field("0+")] public string ClientHost { get; set; } = "";
        [Field("0+")] public string[] SubscribedTopicNames { get; set; } = [];
        [Field("0+", Nullable = "0+")] public string? SubscribedTopicRegex { get; set; }
        [Field("0+")] public Assignment Assignment { get; set; } = new();
        [Field("0+")] public Assignment TargetAssignment { get; set; } = new();
        [Field("1+")] public sbyte MemberType { get; set; } = -1;
    }

    public sealed partial class Assignment
    {
        [Field("0+")] public TopicPartitions[] TopicPartitions { get; set; } = [];
    }

    public sealed partial class TopicPartitions
    {
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public int[] Partitions { get; set; } = [];
    }
}
