namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeClientQuotas, API key 48.</summary>
[KafkaMessage(ApiKey.DescribeClientQuotas, "0-1", "1+")]
internal sealed partial class DescribeClientQuotasRequest
{
    [Field("0+")] public ComponentData[] Components { get; set; } = [];
    [Field("0+")] public bool Strict { get; set; }

    public sealed partial class ComponentData
    {
        [Field("0+")] public string EntityType { get; set; } = "";
        [Field("0+")] public sbyte MatchType { get; set; }
        [Field("0+", Nullable = "0+")] public string? Match { get; set; } = "";
    }
}

/// <summary>The answer of DescribeClientQuotas, API key 48.</summary>
[KafkaMessage(ApiKey.DescribeClientQuotas, "0-1", "1+")]
internal sealed partial class DescribeClientQuotasResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+", Nullable = "0+")] public EntryData[]? Entries { get; set; } = [];

    public sealed partial class EntryData
    {
        [Field("0+")] public EntityData[] Entity { get; set; } = [];
        [Field("0+")] public ValueData[] Values { get; set; } = [];
    }

    public sealed partial class EntityData
    {
        [Field("0+")] public string EntityType { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? EntityName { get; set; } = "";
    }

    public sealed partial class ValueData
    {
        [Field("0+")] public string Key { get; set; } = "";
        [Field("0+")] public double Value { get; set; }
    }
}
