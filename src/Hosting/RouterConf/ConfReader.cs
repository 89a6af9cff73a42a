using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>
/// Reads the text of a <c>qdrouterd.conf</c>: sections <c>NAME {</c>, one <c>key: value</c> a line, <c>}</c> alone on
/// its line; <c>#</c> begins a comment, but not in the values of <c>pattern</c>, <c>bindingKey</c> and <c>hostname</c>;
/// maps (<c>key: {</c>) nest, and those of <c>openProperties</c> and <c>groups</c> hold JSON. Or a JSON file: a list of
/// pairs of type and attributes. Pure.
/// </summary>
internal sealed class ConfReader
{
    /// <summary>Maps in maps.</summary>
    private const int DepthMax = 16;

    private static readonly string[] HashIsText = ["pattern", "bindingKey", "hostname"];
    private static readonly string[] HoldJson = ["openProperties", "groups"];

    private static readonly JsonDocumentOptions Relaxed = new()
    {
        AllowTrailingCommas = true,
        MaxDepth = DepthMax,
    };

    private readonly string[] _lines;
    private int _at;

    private ConfReader(string text) => _lines = text.Split('\n');

    /// <summary>All entities, in the order of the file. Throws <see cref="ConfSyntaxException"/>.</summary>
    public static IReadOnlyList<ConfEntity> Read(string text)
    {
        var reader = new ConfReader(text);
        return text.AsSpan().TrimStart().StartsWith("[") ? reader.ReadJson() : reader.ReadSections();
    }

    private static string StripComment(string line)
    {
        int hash = line.IndexOf('#');
        return (hash < 0 ? line : line[..hash]).Trim();
    }

    private static bool IsWord(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.' or '$'))
            {
                return false;
            }
        }

        return text.Length > 0;
    }

    // "sasl-mechanisms" is the old way to write "saslMechanisms".
    private static string CamelCase(string name)
    {
        if (!name.Contains('-'))
        {
            return name;
        }

        var camel = new StringBuilder(name.Length);
        foreach (string part in name.Split('-', StringSplitOptions.RemoveEmptyEntries))
        {
            camel.Append(camel.Length == 0 ? part[0] : char.ToUpperInvariant(part[0])).Append(part.AsSpan(1));
        }

        return camel.ToString();
    }

    private static string TypeOf(string section) => CamelCase(section) switch
    {
        "address" => "router.config.address",
        "linkRoute" => "router.config.linkRoute",
        "autoLink" => "router.config.autoLink",
        "exchange" => "router.config.exchange",
        "binding" => "router.config.binding",
        string other => other,
    };

    private List<ConfEntity> ReadSections()
    {
        List<ConfEntity> entities = [];
        while (TryNext(out string line))
        {
            int begun = _at;
            string head = StripComment(line);
            if (!head.EndsWith('{') || !IsWord(head.AsSpan()[..^1].Trim()))
            {
                throw Fault("a section begins with its name and '{', and nothing else on that line");
            }

            string name = head[..^1].Trim();
            Dictionary<string, JsonNode> attributes = ReadMap($"section '{name}' of line {begun}", 0);
            entities.Add(new ConfEntity(TypeOf(name), begun, attributes));
        }

        return entities;
    }

    private Dictionary<string, JsonNode> ReadMap(string of, int depth)
    {
        Dictionary<string, JsonNode> map = [];
        while (TryNext(out string line))
        {
            if (StripComment(line) == "}")
            {
                return map;
            }

            int colon = line.IndexOf(':');
            if (colon <= 0 || !IsWord(line.AsSpan(0, colon).Trim()))
            {
                throw Fault("expected 'key: value', or '}' alone on its line");
            }

            string key = CamelCase(line[..colon].Trim());
            string value = line[(colon + 1)..].Trim();
            map[key] = StripComment(value) == "{" && !HashIsText.Contains(key)
                ? ReadInner(key, depth + 1)
                : JsonValue.Create(Value(key, value));
        }

        throw new ConfSyntaxException($"{of} is not ended by a '}}' alone on its line");
    }

    private JsonNode ReadInner(string key, int depth)
    {
        if (depth > DepthMax)
        {
            throw Fault($"more than {DepthMax} maps in each other");
        }

        return HoldJson.Contains(key)
            ? ReadJsonMap(key)
            : new JsonObject(ReadMap($"'{key}' of line {_at}", depth)
                .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
    }

    private static string Value(string key, string text) => HashIsText.Contains(key)
        ? text.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries) is [string first, ..] ? first : ""
        : StripComment(text);

    // Its lines are taken up to the brace that ends it, without those that are comments.
    private JsonNode ReadJsonMap(string key)
    {
        int begun = _at;
        var json = new StringBuilder("{");
        int depth = 1;
        while (depth > 0)
        {
            if (!TryNext(out string line))
            {
                throw new ConfSyntaxException($"the map '{key}' of line {begun} has no end");
            }

            depth += Depth(line);
            json.Append(line).Append('\n');
        }

        try
        {
            return JsonNode.Parse(json.ToString().TrimEnd('\n', ','), documentOptions: Relaxed)!;
        }
        catch (JsonException e)
        {
            int at = begun + 1 + (int)(e.LineNumber ?? 0);
            throw new ConfSyntaxException($"line {at}: the map '{key}' must hold JSON: {Reason(e)}");
        }
    }

    // Braces outside of strings: how much deeper the line leads.
    private static int Depth(string line)
    {
        int depth = 0;
        bool isText = false;
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && (i == 0 || line[i - 1] != '\\'))
            {
                isText = !isText;
            }
            else if (!isText)
            {
                depth += line[i] == '{' ? 1 : line[i] == '}' ? -1 : 0;
            }
        }

        return depth;
    }

    private List<ConfEntity> ReadJson()
    {
        string text = string.Join('\n', _lines.Where(line => !line.AsSpan().TrimStart().StartsWith("#")));
        try
        {
            JsonNode? root = JsonNode.Parse(text, documentOptions: Relaxed);
            return [.. root!.AsArray().Select((pair, i) => OfPair(pair, i + 1))];
        }
        catch (JsonException e)
        {
            throw new ConfSyntaxException(string.Create(
                CultureInfo.InvariantCulture, $"line {(e.LineNumber ?? 0) + 1}: {Reason(e)}"));
        }
    }

    private static ConfEntity OfPair(JsonNode? pair, int number)
    {
        if (pair is not JsonArray { Count: 2 } list || list[0] is not JsonValue type || list[1] is not JsonObject map
            || !type.TryGetValue(out string? name))
        {
            throw new ConfSyntaxException($"entry {number} is not a list of a type and its attributes");
        }

        Dictionary<string, JsonNode> attributes = [];
        foreach ((string key, JsonNode? value) in map)
        {
            attributes[CamelCase(key)] = value is JsonValue plain && !plain.TryGetValue(out string? _)
                ? JsonValue.Create(plain.ToJsonString()) : value?.DeepClone() ?? JsonValue.Create("");
        }

        return new ConfEntity(TypeOf(name), 0, attributes);
    }

    private static string Reason(JsonException fault) => fault.Message.Split(" LineNumber:")[0];

    /// <summary>The next line that says something.</summary>
    private bool TryNext(out string line)
    {
        while (_at < _lines.Length)
        {
            line = _lines[_at++].Trim();
            if (line.Length > 0 && line[0] != '#')
            {
                return true;
            }
        }

        line = "";
        return false;
    }

    private ConfSyntaxException Fault(string sentence) => new($"line {_at}: {sentence}: '{_lines[_at - 1].Trim()}'");
}
