using System.Globalization;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>
/// Reads the attributes of one entity by name and type. Throws <see cref="ConfigException"/> with the line for what is
/// wrong; notes what is known but has no effect.
/// </summary>
internal sealed class EntityReader
{
    private readonly ConfEntity _entity;
    private readonly string _source;
    private readonly ICollection<string> _notes;

    public EntityReader(ConfEntity entity, string source, ICollection<string> notes)
    {
        _entity = entity;
        _source = source;
        _notes = notes;
        if (!EntityTypes.All.TryGetValue(entity.Type, out EntityType? type))
        {
            throw Fault($"there is no entity '{entity.Type}'{Suggest(entity.Type, EntityTypes.All.Keys)}");
        }

        if (type.Refusal is { } refusal)
        {
            throw Fault($"the entity '{entity.Type}' is not taken: {refusal}");
        }

        foreach (string attribute in entity.Attributes.Keys)
        {
            if (!type.IsKnown(attribute))
            {
                throw Fault($"'{entity.Type}' has no attribute '{attribute}'{Suggest(attribute, type.Attributes)}");
            }

            if (type.WithoutEffect.TryGetValue(attribute, out string? why))
            {
                notes.Add($"{Place}: {entity.Type}.{attribute} has no effect: {why}");
            }
        }
    }

    /// <summary>Where the entity stands.</summary>
    public string Place => _entity.Line > 0 ? $"{_source}:{_entity.Line}" : $"{_source}: {_entity.Type}";

    public bool Has(string attribute) => _entity.Attributes.ContainsKey(attribute);

    /// <summary>A text; null when it is not there, or empty.</summary>
    public string? Text(string attribute, string? outdatedName = null)
    {
        JsonNode? node = _entity.Attributes.GetValueOrDefault(attribute)
            ?? (outdatedName is null ? null : _entity.Attributes.GetValueOrDefault(outdatedName));
        if (node is null)
        {
            return null;
        }

        if (node is not JsonValue)
        {
            throw Fault($"'{attribute}' must be a plain value");
        }

        string text = node.ToString();
        return text.Length == 0 ? null : text;
    }

    /// <summary>A list of texts, or one text with commas between; empty when it is not there.</summary>
    public IReadOnlyList<string> Texts(string attribute)
    {
        if (_entity.Attributes.GetValueOrDefault(attribute) is JsonArray list)
        {
            return list.All(item => item is JsonValue)
                ? [.. list.Select(item => item!.ToString())]
                : throw Fault($"'{attribute}' must be a list of plain values");
        }

        return (Text(attribute) ?? "").Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    /// <summary>The parts of a map of maps, each read as an entity of a type.</summary>
    public IEnumerable<(string Name, EntityReader Reader)> Parts(string attribute, string type)
    {
        if (_entity.Attributes.GetValueOrDefault(attribute) is not { } node)
        {
            yield break;
        }

        foreach ((string name, JsonNode? part) in node as JsonObject ?? throw Fault($"'{attribute}' must be a map"))
        {
            if (part is not JsonObject map)
            {
                throw Fault($"'{attribute}.{name}' must be a map");
            }

            var attributes = map.Where(entry => entry.Value is not null)
                .ToDictionary(entry => entry.Key, entry => entry.Value!);
            yield return (name, new EntityReader(new ConfEntity(type, _entity.Line, attributes), _source, _notes));
        }
    }

    /// <summary>A map of texts; empty when it is not there.</summary>
    public IReadOnlyDictionary<string, string> Map(string attribute)
    {
        if (_entity.Attributes.GetValueOrDefault(attribute) is not { } node)
        {
            return new Dictionary<string, string>();
        }

        return node is JsonObject map && map.All(entry => entry.Value is JsonValue)
            ? map.ToDictionary(entry => entry.Key, entry => entry.Value!.ToString())
            : throw Fault($"'{attribute}' must be a map of plain values");
    }

    public string Require(string attribute, string? outdatedName = null) =>
        Text(attribute, outdatedName) ?? throw Fault($"'{_entity.Type}' needs '{attribute}'");

    public int Number(string attribute, int otherwise, int min, int max)
    {
        if (Text(attribute) is not { } text)
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int number)
            && number >= min && number <= max
            ? number : throw Fault($"'{attribute}' must be a number from {min} to {max}, not '{text}'");
    }

    public bool Truth(string attribute, bool otherwise = false) => Text(attribute)?.ToLowerInvariant() switch
    {
        null => otherwise,
        "yes" or "true" or "on" or "1" => true,
        "no" or "false" or "off" or "0" => false,
        string text => throw Fault($"'{attribute}' must be yes or no, not '{text}'"),
    };

    /// <summary>One of some words.</summary>
    public T Choice<T>(string attribute, T otherwise, params (string Word, T Value)[] choices)
    {
        if (Text(attribute) is not { } text)
        {
            return otherwise;
        }

        int at = Array.FindIndex(choices, choice => choice.Word == text);
        return at >= 0 ? choices[at].Value
            : throw Fault($"'{attribute}' must be {string.Join(", ", choices.Select(c => c.Word))}, not '{text}'");
    }

    /// <summary>Neither both nor none.</summary>
    public void RequireOneOf(string one, string other)
    {
        if (Has(one) == Has(other))
        {
            throw Fault($"'{_entity.Type}' needs either '{one}' or '{other}'");
        }
    }

    public ConfigException Fault(string sentence) => new($"{Place}: {sentence}");

    private static string Suggest(string name, IEnumerable<string> names) =>
        NearestName.Find(name, names) is { } near ? $"; did you mean '{near}'?" : "";
}
