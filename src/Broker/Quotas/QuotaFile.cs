using System.Text.Json;
using System.Text.Json.Serialization;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Quotas;

/// <summary>The file of quotas, as JSON.</summary>
internal sealed record QuotaFile
{
    /// <summary>The format that this build writes, and the newest that it reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The largest file that is read, in bytes.</summary>
    public const int BytesMax = 64 << 20;

    [JsonRequired]
    public int Version { get; set; } = CurrentVersion;

    [JsonRequired]
    public IReadOnlyList<QuotaEntry> Quotas { get; set; } = [];

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, QuotaFileJson.Default.QuotaFile);

    /// <summary>Reads the file's bytes; <see cref="StorageException"/> names what is wrong.</summary>
    public static QuotaFile Parse(byte[] bytes, string path)
    {
        try
        {
            QuotaFile? file = JsonSerializer.Deserialize(bytes, QuotaFileJson.Default.QuotaFile);
            if (file is { Version: CurrentVersion } && file.Quotas.All(IsGood))
            {
                return file;
            }
        }
        catch (JsonException e)
        {
            throw new StorageException($"{path} is not a file of quotas: {e.Message}", e);
        }

        throw new StorageException($"{path} is damaged, or newer than this program knows");
    }

    private static bool IsGood(QuotaEntry? entry) =>
        entry is not null && entry.Values.All(v => QuotaNames.Find(v.Key) is not null && v.Value > 0);
}

/// <summary>The quotas of one entity. A part that is absent, and no default, means everybody.</summary>
internal sealed record QuotaEntry
{
    [JsonRequired]
    public string AddressSpace { get; set; } = "";

    public string? User { get; set; }

    public bool IsUserDefault { get; set; }

    public string? ClientId { get; set; }

    public bool IsClientDefault { get; set; }

    [JsonRequired]
    public IReadOnlyDictionary<string, double> Values { get; set; } = new Dictionary<string, double>();

    [JsonIgnore]
    public QuotaEntity Entity => new(Part(User, IsUserDefault), Part(ClientId, IsClientDefault));

    public static QuotaEntry Of(
        string space, QuotaEntity entity, IReadOnlyDictionary<QuotaKind, double> values) => new()
        {
            AddressSpace = space,
            User = entity.User.Name,
            IsUserDefault = entity.User.Scope == QuotaScope.Default,
            ClientId = entity.Client.Name,
            IsClientDefault = entity.Client.Scope == QuotaScope.Default,
            Values = values.ToDictionary(v => QuotaNames.Of(v.Key), v => v.Value),
        };

    private static QuotaPart Part(string? name, bool isDefault) =>
        isDefault ? QuotaPart.Default : name is null ? QuotaPart.Absent : QuotaPart.Of(name);
}

/// <summary>Reads and writes it without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    WriteIndented = true)]
[JsonSerializable(typeof(QuotaFile))]
internal sealed partial class QuotaFileJson : JsonSerializerContext;
