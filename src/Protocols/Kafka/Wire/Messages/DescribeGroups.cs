namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeGroups, API key 15.</summary>
[KafkaMessage(ApiKey.DescribeGroups, "0-6", "5+")]
internal sealed partial class DescribeGroupsRequest
{
    [Field("0+")] public string[] Groups { get; set; } = [];
    [Field("3+")] public bool IncludeAuthorizedOperations { get; set; }
}

/// <summary>The answer of DescribeGroups, API key 15.</summary>
[KafkaMessage(ApiKey.DescribeGroups, "0-6", "5+")]
internal sealed partial class DescribeGroupsResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DescribedGroup[] Groups { get; set; } = [];

    public sealed partial class DescribedGroup
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("6+", Nullable = "6+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public string GroupId { get; set; } = "";
        [Field("0+")] public string GroupState { get; set; } = "";
        [Field("0+")] public string ProtocolType { get; set; } = "";
        [Field("0+")] public string ProtocolData { get; set; } = "";
        [Field("0+")] public DescribedGroupMember[] Members { get; set; } = [];
        [Field("3+")] public int AuthorizedOperations { get; set; } = -2147483648;
    }

    public sealed partial class DescribedGroupMember
    {
        [Field("0+")] public string MemberId { get; set; } = "";
        [Field("4+", Nullable = "4+")] public string? GroupInstanceId { get; set; }
        [Field("0+")] public string ClientId { get; set; } = "";
        [Field("0+")] public string ClientHost { get; set; } = "";
        [Field("0+")] public byte[] MemberMetadata { get; set; } = [];
        [Field("0+")] public byte[] MemberAssignment { get; set; } = [];
    }
}
