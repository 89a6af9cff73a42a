namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeConfigs, API key 32.</summary>
[KafkaMessage(ApiKey.DescribeConfigs, "0-4", "4+")]
internal sealed partial class DescribeConfigsRequest
{
    [Field("0+")] public DescribeConfigsResource[] Resources { get; set; } = [];
    [Field("1+")] public bool IncludeSynonyms { get; set; }
    [Field("3+")] public bool IncludeDocumentation { get; set; }

    public sealed partial class DescribeConfigsResource
    {
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string[]? ConfigurationKeys { get; set; } = [];
    }
}

/// <summary>The answer of DescribeConfigs, API key 32.</summary>
[KafkaMessage(ApiKey.DescribeConfigs, "0-4", "4+")]
internal sealed partial class DescribeConfigsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DescribeConfigsResult[] Results { get; set; } = [];

    public sealed partial class DescribeConfigsResult
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("0+")] public DescribeConfigsResourceResult[] Configs { get; set; } = [];
    }

    public sealed partial class DescribeConfigsResourceResult
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? Value { get; set; } = "";
        [Field("0+")] public bool ReadOnly { get; set; }
        [Field("0")] public bool IsDefault { get; set; }
        [Field("1+")] public sbyte ConfigSource { get; set; } = -1;
        [Field("0+")] public bool IsSensitive { get; set; }
        [Field("1+")] public DescribeConfigsSynonym[] Synonyms { get; set; } = [];
        [Field("3+")] public sbyte ConfigType { get; set; }
        [Field("3+", Nullable = "0+")] public string? Documentation { get; set; } = "";
    }

    public sealed partial class DescribeConfigsSynonym
    {
        [Field("1+")] public string Name { get; set; } = "";
        [Field("1+", Nullable = "0+")] public string? Value { get; set; } = "";
        [Field("1+")] public sbyte Source { get; set; }
    }
}
