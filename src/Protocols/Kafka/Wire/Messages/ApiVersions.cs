namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ApiVersions, API key 18.</summary>
[KafkaMessage(ApiKey.ApiVersions, "0-5", "3+")]
internal sealed partial class ApiVersionsRequest
{
    [Field("3+")] public string ClientSoftwareName { get; set; } = "";
    [Field("3+")] public string ClientSoftwareVersion { get; set; } = "";
    [Field("5+", Nullable = "5+")] public string? ClusterId { get; set; }
    [Field("5+")] public int NodeId { get; set; } = -1;
}

/// <summary>The answer of ApiVersions, API key 18.</summary>
[KafkaMessage(ApiKey.ApiVersions, "0-5", "3+")]
internal sealed partial class ApiVersionsResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public ApiVersion[] ApiKeys { get; set; } = [];
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("3+", Tag = 0)] public SupportedFeatureKey[] SupportedFeatures { get; set; } = [];
    [Field("3+", Tag = 1)] public long FinalizedFeaturesEpoch { get; set; } = -1;
    [Field("3+", Tag = 2)] public FinalizedFeatureKey[] FinalizedFeatures { get; set; } = [];
    [Field("3+", Tag = 3)] public bool ZkMigrationReady { get; set; }

    public sealed partial class ApiVersion
    {
        [Field("0+")] public short ApiKey { get; set; }
        [Field("0+")] public short MinVersion { get; set; }
        [Field("0+")] public short MaxVersion { get; set; }
    }

    public sealed partial class SupportedFeatureKey
    {
        [Field("3+")] public string Name { get; set; } = "";
        [Field("3+")] public short MinVersion { get; set; }
        [Field("3+")] public short MaxVersion { get; set; }
    }

    public sealed partial class FinalizedFeatureKey
    {
        [Field("3+")] public string Name { get; set; } = "";
        [Field("3+")] public short MaxVersionLevel { get; set; }
        [Field("3+")] public short MinVersionLevel { get; set; }
    }
}
