namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeAcls, API key 29.</summary>
[KafkaMessage(ApiKey.DescribeAcls, "0-3", "2+")]
internal sealed partial class DescribeAclsRequest
{
    [Field("0+")] public sbyte ResourceTypeFilter { get; set; }
    [Field("0+", Nullable = "0+")] public string? ResourceNameFilter { get; set; } = "";
    [Field("1+")] public sbyte PatternTypeFilter { get; set; } = 3;
    [Field("0+", Nullable = "0+")] public string? PrincipalFilter { get; set; } = "";
    [Field("0+", Nullable = "0+")] public string? HostFilter { get; set; } = "";
    [Field("0+")] public sbyte Operation { get; set; }
    [Field("0+")] public sbyte PermissionType { get; set; }
}

/// <summary>The answer of DescribeAcls, API key 29.</summary>
[KafkaMessage(ApiKey.DescribeAcls, "0-3", "2+")]
internal sealed partial class DescribeAclsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public DescribeAclsResource[] Resources { get; set; } = [];

    public sealed partial class DescribeAclsResource
    {
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("1+")] public sbyte PatternType { get; set; } = 3;
        [Field("0+")] public AclDescription[] Acls { get; set; } = [];
    }

    public sealed partial class AclDescription
    {
        [Field("0+")] public string Principal { get; set; } = "";
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public sbyte Operation { get; set; }
        [Field("0+")] public sbyte PermissionType { get; set; }
    }
}
