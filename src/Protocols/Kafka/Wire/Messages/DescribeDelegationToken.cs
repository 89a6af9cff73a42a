namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeDelegationToken, API key 41.</summary>
[KafkaMessage(ApiKey.DescribeDelegationToken, "0-3", "2+")]
internal sealed partial class DescribeDelegationTokenRequest
{
    [Field("0+", Nullable = "0+")] public DescribeDelegationTokenOwner[]? Owners { get; set; } = [];

    public sealed partial class DescribeDelegationTokenOwner
    {
        [Field("0+")] public string PrincipalType { get; set; } = "";
        [Field("0+")] public string PrincipalName { get; set; } = "";
    }
}

/// <summary>The answer of DescribeDelegationToken, API key 41.</summary>
[KafkaMessage(ApiKey.DescribeDelegationToken, "0-3", "2+")]
internal sealed partial class DescribeDelegationTokenResponse
{
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public DescribedDelegationToken[] Tokens { get; set; } = [];
    [Field("0+")] public int ThrottleTimeMs { get; set; }

    public sealed partial class DescribedDelegationToken
    {
        [Field("0+")] public string PrincipalType { get; set; } = "";
        [Field("0+")] public string PrincipalName { get; set; } = "";
        [Field("3+")] public string TokenRequesterPrincipalType { get; set; } = "";
        [Field("3+")] public string TokenRequesterPrincipalName { get; set; } = "";
        [Field("0+")] public long IssueTimestamp { get; set; }
        [Field("0+")] public long ExpiryTimestamp { get; set; }
        [Field("0+")] public long MaxTimestamp { get; set; }
        [Field("0+")] public string TokenId { get; set; } = "";
        [Field("0+")] public byte[] Hmac { get; set; } = [];
        [Field("0+")] public DescribedDelegationTokenRenewer[] Renewers { get; set; } = [];
    }

    public sealed partial class DescribedDelegationTokenRenewer
    {
        [Field("0+")] public string PrincipalType { get; set; } = "";
        [Field("0+")] public string PrincipalName { get; set; } = "";
    }
}
