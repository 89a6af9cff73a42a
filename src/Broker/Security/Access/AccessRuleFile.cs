using System.Text.Json;
using System.Text.Json.Serialization;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Security;

/// <summary>The file of rules, as JSON.</summary>
internal sealed record AccessRuleFile
{
    /// <summary>The format that this build writes, and the newest that it reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The largest file that is read, in bytes.</summary>
    public const int BytesMax = 64 << 20;

    [JsonRequired]
    public int Version { get; set; } = CurrentVersion;

    /// <summary>The rules by address space.</summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, IReadOnlyList<AccessRule>> Rules { get; set; } =
        new Dictionary<string, IReadOnlyList<AccessRule>>();

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, AccessRuleFileJson.Default.AccessRuleFile);

    /// <summary>Reads the file's bytes; <see cref="StorageException"/> names what is wrong.</summary>
    public static AccessRuleFile Parse(byte[] bytes, string path)
    {
        AccessRuleFile? file;
        try
        {
            file = JsonSerializer.Deserialize(bytes, AccessRuleFileJson.Default.AccessRuleFile);
        }
        catch (JsonException e)
        {
            throw new StorageException($"{path} is not a file of access rules: {e.Message}", e);
        }

        bool good = file is { Version: CurrentVersion }
            && file.Rules.Values.All(rules => rules is not null && rules.All(r => r is not null && r.Fault() is null));
        return good ? file! : throw new StorageException($"{path} is damaged, or newer than this program knows");
    }
}

/// <summary>Reads and writes it without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(AccessRuleFile))]
internal sealed partial class AccessRuleFileJson : JsonSerializerContext;
