namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AlterConfigs, API key 33.</summary>
[KafkaMessage(ApiKey.AlterConfigs, "0-2", "2+")]
internal sealed partial class AlterConfigsRequest
{
    [Field("0+")] public AlterConfigsResource[] Resources { get; set; } = [];
    [Field("0+")] public bool ValidateOnly { get; set; }

    public sealed partial class AlterConfigsResource
    {
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("0+")] public AlterableConfig[] Configs { get; set; } = [];
    }

    public sealed partial class AlterableConfig
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? Value { get; set; } = "";
    }
}

/// <summary>The answer of AlterConfigs, API key 33.</summary>
[KafkaMessage(ApiKey.AlterConfigs, "0-2", "2+")]
internal sealed partial class AlterConfigsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public AlterConfigsResourceResponse[] Responses { get; set; } = [];

    public sealed partial class AlterConfigsResourceResponse
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public sbyte ResourceType { get; set; }
        [Field("0+")] public string ResourceName { get; set; } = "";
    }
}
