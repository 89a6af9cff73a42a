using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pillarbox.Broker.Security;

/// <summary>The file of users, as JSON. Holds no password, only what checks one. Changed by copies only; the setters
/// are
/// there so that what a file leaves out keeps its default.</summary>
internal sealed record UserFile
{
    /// <summary>The format that this build writes, and the newest that it reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The largest file that is read, in bytes.</summary>
    public const int BytesMax = 64 << 20;

    [JsonRequired]
    public int Version { get; set; } = CurrentVersion;

    /// <summary>Makes salts for users that do not exist; 32 bytes.</summary>
    [JsonRequired]
    public byte[] NodeKey { get; set; } = [];

    [JsonRequired]
    public IReadOnlyList<UserEntry> Users { get; set; } = [];
}

/// <summary>One user in the file.</summary>
internal sealed record UserEntry
{
    [JsonRequired]
    public string Name { get; set; } = "";

    [JsonRequired]
    public IReadOnlyList<string> Roles { get; set; } = [];

    /// <summary>The one address space that the user may enter; null: any.</summary>
    public string? AddressSpace { get; set; }

    /// <summary>For PLAIN and HTTP Basic.</summary>
    public PlainEntry? Plain { get; set; }

    /// <summary>For SCRAM, one per mechanism.</summary>
    public IReadOnlyList<ScramEntry> Scram { get; set; } = [];

    /// <summary>Certificates that log in as this user: see <see cref="CertificateNames"/>.</summary>
    public IReadOnlyList<string> Certificates { get; set; } = [];
}

/// <summary>PBKDF2-HMAC-SHA512 of the password.</summary>
internal sealed record PlainEntry
{
    [JsonRequired]
    public int Iterations { get; set; }

    [JsonRequired]
    public byte[] Salt { get; set; } = [];

    [JsonRequired]
    public byte[] Hash { get; set; } = [];
}

/// <summary>RFC 5802 section 3.</summary>
internal sealed record ScramEntry
{
    [JsonRequired]
    public string Mechanism { get; set; } = "";

    [JsonRequired]
    public int Iterations { get; set; }

    [JsonRequired]
    public byte[] Salt { get; set; } = [];

    [JsonRequired]
    public byte[] StoredKey { get; set; } = [];

    [JsonRequired]
    public byte[] ServerKey { get; set; } = [];
}

/// <summary>Reads and writes it without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    WriteIndented = true)]
[JsonSerializable(typeof(UserFile))]
internal sealed partial class UserFileJson : JsonSerializerContext;
