namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of RemoveRaftVoter, API key 81.</summary>
[KafkaMessage(ApiKey.RemoveRaftVoter, "0-0", "0+")]
internal sealed partial class RemoveRaftVoterRequest
{
    [Field("0+", Nullable = "0+")] public string? ClusterId { get; set; }
    [Field("0+")] public int VoterId { get; set; }
    [Field("0+")] public Guid VoterDirectoryId { get; set; }
}

/// <summary>The answer of RemoveRaftVoter, API key 81.</summary>
[KafkaMessage(ApiKey.RemoveRaftVoter, "0-0", "0+")]
internal sealed partial class RemoveRaftVoterResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
}
