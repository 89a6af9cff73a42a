namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of CreateDelegationToken, API key 38.</summary>
[KafkaMessage(ApiKey.CreateDelegationToken, "0-3", "2+")]
internal sealed partial class CreateDelegationTokenRequest
{
    [Field("3+", Nullable = "3+")] public string? OwnerPrincipalType { get; set; }
    [Field("3+", Nullable = "3+")] public string? OwnerPrincipalName { get; set; }
    [Field("0+")] public CreatableRenewer[] Renewers { get; set; } = [];
    [Field("0+")] public long MaxLifetimeMs { get; set; }

    public sealed partial class CreatableRenewer
    {
        [Field("0+")] public string PrincipalType { get; set; } = "";
        [Field("0+")] public string PrincipalName { get; set; } = "";
    }
}

/// <summary>The answer of CreateDelegationToken, API key 38.</summary>
[KafkaMessage(ApiKey.CreateDelegationToken, "0-3", "2+")]
internal sealed partial class CreateDelegationTokenResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public string PrincipalType { get; set; } = "";
    [Field("0+")] public string PrincipalName { get; set; } = "";
    [Field("3+")] public string TokenRequesterPrincipalType { get; set; } = "";
    [Field("3+")] public string TokenRequesterPrincipalName { get; set; } = "";
    [Field("0+")] public long IssueTimestampMs { get; set; }
    [Field("0+")] public long ExpiryTimestampMs { get; set; }
    [Field("0+")] public long MaxTimestampMs { get; set; }
    [Field("0+")] public string TokenId { get; set; } = "";
    [Field("0+")] public byte[] Hmac { get; set; } = [];
    [Field("0+")] public int ThrottleTimeMs { get; set; }
}
