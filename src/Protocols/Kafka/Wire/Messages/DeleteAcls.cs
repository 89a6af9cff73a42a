namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DeleteAcls, API key 31.</summary>
[KafkaMessage(ApiKey.DeleteAcls, "0-3", "2+")]
internal sealed partial class DeleteAclsRequest
{
    [Field("0+")] public DeleteAclsFilter[] Filters { get; set; } = [];

    public sealed partial class DeleteAclsFilter
    {
        [Field("0+")] public sbyte ResourceTypeFilter { get; set; }
        [Field("0+", Nullable = "0+")] public string? ResourceNameFilter { get; set; } = "";
        [Field("1+")] public sbyte PatternTypeFilter { get; set; } = 3;
        [Field("0+", Nullable = "0+")] public string? PrincipalFilter { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? HostFilter { get; set; } = "";
        [Field("0+")] public sbyte Operation { get; set; }
        [Field("0+")] public sbyte PermissionType { get; set; }
    }
}

/// <summary>The answer of DeleteAcls, API key 31.</summary>
[KafkaMessage(ApiKey.DeleteAcls, "0-3", "2+")]
internal sealed partial class DeleteAclsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DeleteAclsFilterResult[] FilterResults { get; set; } = [];

    public sealed partial class DeleteAclsFilterResult
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public DeleteAclsMatchingAcl[] MatchingAcls { get; set; } = [];
    }

    public sealed partial class DeleteAclsMatchingAcl
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("1+")] public sbyte PatternType { get; set; } = 3;
        [Field("0+")] public string Principal { get; set; } = "";
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public sbyte Operation { get; set; }
        [Field("0+")] public sbyte PermissionType { get; set; }
    }
}
