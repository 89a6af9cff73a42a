namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of UpdateFeatures, API key 57.</summary>
[KafkaMessage(ApiKey.UpdateFeatures, "0-2", "0+")]
internal sealed partial class UpdateFeaturesRequest
{
    [Field("0+")] public int TimeoutMs { get; set; } = 60000;
    [Field("0+")] public FeatureUpdateKey[] FeatureUpdates { get; set; } = [];
    [Field("1+")] public bool ValidateOnly { get; set; }

    public sealed partial class FeatureUpdateKey
    {
        [Field("0+")] public string Feature { get; set; } = "";
        [Field("0+")] public short MaxVersionLevel { get; set; }
        [Field("0")] public bool AllowDowngrade { get; set; }
        [Field("1+")] public sbyte UpgradeType { get; set; } = 1;
    }
}

/// <summary>The answer of UpdateFeatures, API key 57.</summary>
[KafkaMessage(ApiKey.UpdateFeatures, "0-2", "0+")]
internal sealed partial class UpdateFeaturesResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0-1")] public UpdatableFeatureResult[] Results { get; set; } = [];

    public sealed partial class UpdatableFeatureResult
    {
        [Field("0+")] public string Feature { get; set; } = "";
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
