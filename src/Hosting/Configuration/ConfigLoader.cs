using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// Makes a <see cref="PillarboxConfig"/> of its sources: the file, then the environment, then flags; later ones win.
/// Every error is a <see cref="ConfigException"/> of one line.
/// </summary>
public static class ConfigLoader
{
    /// <summary>The prefix of environment variables: <c>Pillarbox__limits__cacheBytes=1000000</c>.</summary>
    public const string EnvironmentPrefix = "Pillarbox__";

    private const int FileBytesMax = 4 << 20;
    private const int DepthMax = 16;

    private static readonly JsonDocumentOptions FileSyntax = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = DepthMax,
        AllowDuplicateProperties = false,
    };

    /// <summary>Reads the sources. Throws <see cref="ConfigException"/>.</summary>
    public static PillarboxConfig Load(ConfigSources sources)
    {
        JsonTypeInfo root = ConfigJson.Default.PillarboxConfig;
        JsonObject merged = sources.File is null ? [] : ReadFile(sources.File, root);
        foreach ((string name, string value) in sources.Environment.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
            {
                string[] path = name[EnvironmentPrefix.Length..].Split("__");
                ConfigSetter.Set(merged, root, path, value, $"environment variable {name}");
            }
        }

        foreach ((string path, string value) in sources.Settings)
        {
            ConfigSetter.Set(merged, root, path.Split('.'), value, $"--set {path}");
        }

        PillarboxConfig config = Bind(merged);
        config = sources.Flags(config);
        ConfigValidator.Validate(config, sources.File ?? "configuration");
        return config;
    }

    /// <summary>Reads configuration from text, as a file would hold it. Throws <see cref="ConfigException"/>.</summary>
    public static PillarboxConfig Parse(string json, string source)
    {
        PillarboxConfig config = Bind(ParseObject(json, ConfigJson.Default.PillarboxConfig, source));
        ConfigValidator.Validate(config, source);
        return config;
    }

    /// <summary>The file when it is there, else null.</summary>
    public static string? FindFile(string file) => ConfigFiles.Exists(file) ? file : null;

    private static JsonObject ReadFile(string file, JsonTypeInfo root)
    {
        string text;
        try
        {
            text = ConfigFiles.ReadText(file, FileBytesMax);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{file}: {ConfigFiles.Explain(e)}");
        }

        return ParseObject(text, root, file);
    }

    private static JsonObject ParseObject(string text, JsonTypeInfo root, string source)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text, documentOptions: FileSyntax);
        }
        catch (JsonException e)
        {
            string place = e.LineNumber is { } line ? $"line {line + 1}, column {e.BytePositionInLine + 1}: " : "";
            throw new ConfigException($"{source}: {place}not valid JSON: {FirstSentence(e.Message)}");
        }

        ConfigChecker.Check(node, root, source, "");
        return node as JsonObject ?? throw new ConfigException($"{source}: the file must hold an object {{ }}");
    }

    private static PillarboxConfig Bind(JsonObject merged)
    {
        ConfigDefaults.Complete(merged, ConfigJson.Default.PillarboxConfig);
        try
        {
            return merged.Deserialize(ConfigJson.Default.PillarboxConfig) ?? new PillarboxConfig();
        }
        catch (JsonException e)
        {
            throw new ConfigException($"configuration: {FirstSentence(e.Message)}");
        }
    }

    private static string FirstSentence(string message)
    {
        int path = message.IndexOf(" Path: ", StringComparison.Ordinal);
        int line = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        int end = path >= 0 ? path : line >= 0 ? line : message.Length;
        return message[..end].TrimEnd('.', ' ').ReplaceLineEndings(" ");
    }
}

/// <summary>Where configuration comes from.</summary>
public sealed record ConfigSources
{
    /// <summary>The file, or null.</summary>
    public string? File { get; init; }

    /// <summary>Environment variables; those with the prefix are taken.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Single settings by dotted path.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>What the other flags change, last.</summary>
    public Func<PillarboxConfig, PillarboxConfig> Flags { get; init; } = config => config;
}
