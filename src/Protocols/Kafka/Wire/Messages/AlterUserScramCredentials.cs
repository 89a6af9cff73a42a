namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of AlterUserScramCredentials, API key 51.</summary>
[KafkaMessage(ApiKey.AlterUserScramCredentials, "0-0", "0+")]
internal sealed partial class AlterUserScramCredentialsRequest
{
    [Field("0+")] public ScramCredentialDeletion[] Deletions { get; set; } = [];
    [Field("0+")] public ScramCredentialUpsertion[] Upsertions { get; set; } = [];

    public sealed partial class ScramCredentialDeletion
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public sbyte Mechanism { get; set; }
    }

    public sealed partial class ScramCredentialUpsertion
    {
        [Field("0+")] public string Name { get; set; } = "";
        [Field("0+")] public sbyte Mechanism { get; set; }
        [Field("0+")] public int Iterations { get; set; }
        [Field("0+")] public byte[] Salt { get; set; } = [];
        [Field("0+")] public byte[] SaltedPassword { get; set; } = [];
    }
}

/// <summary>The answer of AlterUserScramCredentials, API key 51.</summary>
[KafkaMessage(ApiKey.AlterUserScramCredentials, "0-0", "0+")]
internal sealed partial class AlterUserScramCredentialsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public AlterUserScramCredentialsResult[] Results { get; set; } = [];

    public sealed partial class AlterUserScramCredentialsResult
    {
        [Field("0+")] public string User { get; set; } = "";
        [Field("0+")] public short ErrorCode { get; set; }
        [Field("0+", Nullable = "0+")] public string? ErrorMessage { get; set; }
    }
}
