namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DeleteShareGroupOffsets, API key 92.</summary>
[KafkaMessage(ApiKey.DeleteShareGroupOffsets, "0-0", "0+")]
internal sealed partial class DeleteShareGroupOffsetsRequest
{
    [Field("0+")] public string GroupId { get; set; } = "";
    [Field("0+")] public DeleteShareGroupOffsetsRequestTopic[] Topics { get; set; } = [];

    public sealed partial class DeleteShareGroupOffsetsRequestTopic
    {
        [Field("0+")] public string TopicName { get; set; } = "";
    }
}

/// <summary>The answer of DeleteShareGroupOffsets, API key 92.</summary>
[KafkaMessage(ApiKey.DeleteShareGroupOffsets, "0-0", "0+")]
internal sealed partial class DeleteShareGroupOffsetsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public DeleteShareGroupOffsetsResponseTopic[] Responses { get; set; } = [];

    public sealed partial class DeleteShareGroupOffsetsResponseTopic
    {
        [Field("0+")] public string TopicName { get; set; } = "";
        [Field("0+")] public Guid TopicId { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
