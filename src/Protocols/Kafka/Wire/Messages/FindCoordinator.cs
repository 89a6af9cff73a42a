namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of FindCoordinator, API key 10.</summary>
[KafkaMessage(ApiKey.FindCoordinator, "0-6", "3+")]
internal sealed partial class FindCoordinatorRequest
{
    [Field("0-3")] public string Key { get; set; } = "";
    [Field("1+")] public sbyte KeyType { get; set; }
    [Field("4+")] public string[] CoordinatorKeys { get; set; } = [];
}

/// <summary>The answer of FindCoordinator, API key 10.</summary>
[KafkaMessage(ApiKey.FindCoordinator, "0-6", "3+")]
internal sealed partial class FindCoordinatorResponse
{
    [Field("1+")] public int ThrottleTimeMs { get; set; }
    [Field("0-3")] public short ErrorCode { get; set; }
    [Field("1-3", Nullable = "1-3")] public string? ErrorMessage { get; set; }
    [Field("0-3")] public int NodeId { get; set; }
    [Field("0-3")] public string Host { get; set; } = "";
    [Field("0-3")] public int Port { get; set; }
    [Field("4+")] public Coordinator[] Coordinators { get; set; } = [];

    public sealed partial class Coordinator
    {
        [Field("4+")] public string Key { get; set; } = "";
        [Field("4+")] public int NodeId { get; set; }
        [Field("4+")] public string Host { get; set; } = "";
        [Field("4+")] public int Port { get; set; }
        [Field("4+")] public short ErrorCode { get; set; }
        [Field("4+", Nullable = "4+")] public string? ErrorMessage { get; set; }
    }
}
