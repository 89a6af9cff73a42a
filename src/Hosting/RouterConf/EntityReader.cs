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

    public EntityReader(ConfEntity entity, string source, ICollection<string> notes)
    {
        _entity = entity;
        _source = source;
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

        if (node is not JsonValue value || !value.TryGetValue(out string? text))
        {
            throw Fault($"'{attribute}' must be a plain value");
        }

        return text.Length == 0 ? null : text;
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
