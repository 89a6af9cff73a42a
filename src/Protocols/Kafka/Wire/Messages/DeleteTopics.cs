namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DeleteTopics, API key 20.</summary>
[KafkaMessage(ApiKey.DeleteTopics, "0-6", "4+")]
internal sealed partial class DeleteTopicsRequest
{
    [Field("6+")] public DeleteTopicState[] Topics { get; set; } = [];
    [Field("0-5")] public string[] TopicNames { get; set; } = [];
    [Field("0+")] public int TimeoutMs { get; set; }

    public sealed partial class DeleteTopicState
    {
        [Field("6+", Nullable = "6+")] public string? Name { get; set; }
        [Field("6+")] public Guid TopicId { get; set; }
    }
}

/// <summary>The answer of DeleteTopics, API key 20.</summary>
[KafkaMessage(ApiKey.DeleteTopics, "0-6", "4+")]
internal sealed partial class DeleteTopicsResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public DeletableTopicResult[] Responses { get; set; } = [];

    public sealed partial class DeletableTopicResult
    {
        [Field("0+", Nullable = "6+")] public string? Name { get; set; } = "";
        [Field("6+")] public Guid TopicId { get; set; }
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("5+", Nullable = "5+")] public string? ErrorMessage { get; set; }
    }
}
