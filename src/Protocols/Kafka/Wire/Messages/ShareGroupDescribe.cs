namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ShareGroupDescribe, API key 77.</summary>
[KafkaMessage(ApiKey.ShareGroupDescribe, "1-1", "0+")]
internal sealed partial class ShareGroupDescribeRequest
{
    [Field("0+")] public string[] GroupIds { get; set; } = [];
    [Field("0+")] public bool IncludeAuthorizedOperations { get; set; }
}

/// <summary>The answer of ShareGroupDescribe, API key 77.</summary>
[KafkaMessage(ApiKey.ShareGroupDescribe, "1-1", "0+")]
internal sealed partial class ShareGroupDescribeResponse
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
        [Field("0+", Nullable = "0+")] public string? RackId { get; set; }
        [Field("0+")] public int MemberEpoch { get; set; }
        [Field("0+")] public string ClientId { get; set; } = "";
        [Field("0+")] public string ClientHost { get; set; } = "";
        [Field("0+")] public string[] SubscribedTopicNames { get; set; } = [];
        [Field("0+")] public Assignment Assignment { get; set; } = new();
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
