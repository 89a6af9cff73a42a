namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ListGroups, API key 16.</summary>
[KafkaMessage(ApiKey.ListGroups, "0-5", "3+")]
internal sealed partial class ListGroupsRequest
{
    [Field("4+")] public string[] StatesFilter { get; set; } = [];
    [Field("5+")] public string[] TypesFilter { get; set; } = [];
}

/// <summary>The answer of ListGroups, API key 16.</summary>
[KafkaMessage(ApiKey.ListGroups, "0-5", "3+")]
internal sealed partial class ListGroupsResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public ListedGroup[] Groups { get; set; } = [];

    public sealed partial class ListedGroup
    {
        [Field("0+")] public string GroupId { get; set; } = "";
        [Field("0+")] public string ProtocolType { get; set; } = "";
        [Field("4+")] public string GroupState { get; set; } = "";
        [Field("5+")] public string GroupType { get; set; } = "";
    }
}
