namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of CreatePartitions, API key 37.</summary>
[KafkaMessage(ApiKey.CreatePartitions, "0-3", "2+")]
internal sealed partial class CreatePartitionsRequest
{
    [Field("0+")] public CreatePartitionsTopic[] Topics { get; set; } = [];
    [Field("0+")] public int TimeoutMs { get; set; }
    [Field("0+")] public bool ValidateOnly { get; set; }

    public sealed partial class CreatePartitionsTopic
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public int Count { get; set; }
        [Field("0+", Nullable = "0+")] public CreatePartitionsAssignment[]? Assignments { get; set; } = [];
    }

    public sealed partial class CreatePartitionsAssignment
    {
        [Field("0+")] public int[] BrokerIds { get; set; } = [];
    }
}

/// <summary>The answer of CreatePartitions, API key 37.</summary>
[KafkaMessage(ApiKey.CreatePartitions, "0-3", "2+")]
internal sealed partial class CreatePartitionsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public CreatePartitionsTopicResult[] Results { get; set; } = [];

    public sealed partial class CreatePartitionsTopicResult
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
