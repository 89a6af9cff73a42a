namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AlterClientQuotas, API key 49.</summary>
[KafkaMessage(ApiKey.AlterClientQuotas, "0-1", "1+")]
internal sealed partial class AlterClientQuotasRequest
{
    [Field("0+")] public EntryData[] Entries { get; set; } = [];
    [Field("0+")] public bool ValidateOnly { get; set; }

    public sealed partial class EntryData
    {
        [Field("0+")] public EntityData[] Entity { get; set; } = [];
        [Field("0+")] public OpData[] Ops { get; set; } = [];
    }

    public sealed partial class EntityData
    {
        [Field("0+")] public string EntityType { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? EntityName { get; set; } = "";
    }

    public sealed partial class OpData
    {
        [Field("0+")] public string Key { get; set; } = "";
        [Field("0+")] public double Value { get; set; }
        [Field("0+")] public bool Remove { get; set; }
    }
}

/// <summary>The answer of AlterClientQuotas, API key 49.</summary>
[KafkaMessage(ApiKey.AlterClientQuotas, "0-1", "1+")]
internal sealed partial class AlterClientQuotasResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public EntryData[] Entries { get; set; } = [];

    public sealed partial class EntryData
    {
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public EntityData[] Entity { get; set; } = [];
    }

    public sealed partial class EntityData
    {
        [Field("0+")] public string EntityType { get; set; } = "";
        [Field("0+", Nullable = "0+")] public string? EntityName { get; set; } = "";
    }
}
