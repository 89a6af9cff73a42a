namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ListConfigResources, API key 74.</summary>
[KafkaMessage(ApiKey.ListConfigResources, "0-1", "0+")]
internal sealed partial class ListConfigResourcesRequest
{
    [Field("1+")] public sbyte[] ResourceTypes { get; set; } = [];
}

/// <summary>The answer of ListConfigResources, API key 74.</summary>
[KafkaMessage(ApiKey.ListConfigResources, "0-1", "0+")]
internal sealed partial class ListConfigResourcesResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public ConfigResource[] ConfigResources { get; set; } = [];

    public sealed partial class ConfigResource
    {
        [Field("0+")] public string ResourceName { get; set; } = "";
        [Field("1+")] public sbyte ResourceType { get; set; } = 16;
    }
}
