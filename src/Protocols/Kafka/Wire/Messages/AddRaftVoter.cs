namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AddRaftVoter, API key 80.</summary>
[KafkaMessage(ApiKey.AddRaftVoter, "0-1", "0+")]
internal sealed partial class AddRaftVoterRequest
{
    [Field("0+", Nullable = "0+")] public string? ClusterId { get; set; }
    [Field("0+")] public int TimeoutMs { get; set; }
    [Field("0+")] public int VoterId { get; set; }
    [Field("0+")] public Guid VoterDirectoryId { get; set; }
    [Field("0+")] public Listener[] Listeners { get; set; } = [];
    [Field("1+")] public bool AckWhenCommitted { get; set; } = true;

    public sealed partial class Listener
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public string Host { get; set; } = "";
        [Field("0+")] public ushort Port { get; set; }
    }
}

/// <summary>The answer of AddRaftVoter, API key 80.</summary>
[KafkaMessage(ApiKey.AddRaftVoter, "0-1", "0+")]
internal sealed partial class AddRaftVoterResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
}
