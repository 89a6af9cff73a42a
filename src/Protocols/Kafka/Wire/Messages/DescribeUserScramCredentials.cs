namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of DescribeUserScramCredentials, API key 50.</summary>
[KafkaMessage(ApiKey.DescribeUserScramCredentials, "0-0", "0+")]
internal sealed partial class DescribeUserScramCredentialsRequest
{
    [Field("0+", Nullable = "0+")] public UserName[]? Users { get; set; } = [];

    public sealed partial class UserName
    {
        [Field("0+")] public string Name { get; set; } = "";
    }
}

/// <summary>The answer of DescribeUserScramCredentials, API key 50.</summary>
[KafkaMessage(ApiKey.DescribeUserScramCredentials, "0-0", "0+")]
internal sealed partial class DescribeUserScramCredentialsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    [Field("0+")] public DescribeUserScramCredentialsResult[] Results { get; set; } = [];

    public sealed partial class DescribeUserScramCredentialsResult
    {
        [Field("0+")] public string User { get; set; } = "";
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
        [Field("0+")] public CredentialInfo[] CredentialInfos { get; set; } = [];
    }

    public sealed partial class CredentialInfo
    {
        [Field("0+")] public sbyte Mechanism { get; set; }
        [Field("0+")] public int Iterations { get; set; }
    }
}
