namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DeleteGroups, API key 42.</summary>
[KafkaMessage(ApiKey.DeleteGroups, "0-3", "2+")]
internal sealed partial class DeleteGroupsRequest
{
    [Field("0+")] public string[] GroupsNames { get; set; } = [];
}

/// <summary>The answer of DeleteGroups, API key 42.</summary>
[KafkaMessage(ApiKey.DeleteGroups, "0-3", "2+")]
internal sealed partial class DeleteGroupsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DeletableGroupResult[] Results { get; set; } = [];

    public sealed partial class DeletableGroupResult
    {
        [Field("0+")] public string GroupId { get; set; } = "";
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("3+", Nullable = "3+")] public string? ErrorMessage { get; set; }
    }
}
