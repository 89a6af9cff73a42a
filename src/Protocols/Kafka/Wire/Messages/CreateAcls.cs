namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of CreateAcls, API key 30.</summary>
[KafkaMessage(ApiKey.CreateAcls, "0-3", "2+")]
internal sealed partial class CreateAclsRequest
{
    [Field("0+")] public AclCreation[] Creations { get; set; } = [];

    public sealed partial class AclCreation
    {
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("1+")] public sbyte ResourcePatternType { get; set; } = 3;
        [Field("0+")] public string Principal { get; set; } = "";
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public sbyte Operation { get; set; }
        [Field("0+")] public sbyte PermissionType { get; set; }
    }
}

/// <summary>The answer of CreateAcls, API key 30.</summary>
[KafkaMessage(ApiKey.CreateAcls, "0-3", "2+")]
internal sealed partial class CreateAclsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public AclCreationResult[] Results { get; set; } = [];

    public sealed partial class AclCreationResult
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
