using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>Compares JSON with a schema, as far as the API's own schemas go. What the schema does not name is a fault,
/// too.</summary>
internal sealed class SchemaShape(JsonObject document)
{
    /// <summary>The node that <c>#/a/b</c> names; null: there is none.</summary>
    public static JsonNode? Resolve(JsonObject document, string reference)
    {
        JsonNode? node = document;
        foreach (string part in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node is JsonArray items ? items[int.Parse(part, null)] : node?[part];
        }

        return node;
    }

    /// <summary>What of a value is not as the schema says, by its place.</summary>
    public IEnumerable<string> Faults(JsonNode? value, JsonNode schema, string at)
    {
        if (schema is JsonValue anything)
        {
            return anything.GetValue<bool>() ? [] : [$"{at}: nothing may be here"];
        }

        if ((string?)schema["$ref"] is { } reference)
        {
            return Faults(value, Resolve(document, reference)!, at);
        }

        string[] types = schema["type"] switch
        {
            JsonArray several => [.. several.Select(type => (string)type!)],
            JsonNode one => [(string)one!],
            null => [],
        };
        if (types.Length > 0 && !types.Any(type => Is(value, type)))
        {
            return [$"{at}: {value?.ToJsonString() ?? "null"} is no {string.Join(" or ", types)}"];
        }

        if (schema["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
        {
            return [$"{at}: {value?.ToJsonString()} is none of {words.ToJsonString()}"];
        }

        return value switch
        {
            JsonObject fields => FieldFaults(fields, schema, at),
            JsonArray items when schema["items"] is { } item => items.SelectMany(
                (each, index) => Faults(each, item, $"{at}[{index}]")),
            _ => [],
        };
    }

    private IEnumerable<string> FieldFaults(JsonObject fields, JsonNode schema, string at)
    {
        foreach (JsonNode? name in schema["required"] as JsonArray ?? [])
        {
            if (!fields.ContainsKey((string)name!))
            {
                yield return $"{at}: {name} is missing";
            }
        }

        foreach ((string name, JsonNode? value) in fields)
        {
            JsonNode? shape = schema["properties"]?[name] ?? schema["additionalProperties"];
            if (shape is null && schema["properties"] is not null)
            {
                yield return $"{at}: {name} is not told";
            }

            foreach (string fault in shape is null ? [] : Faults(value, shape, $"{at}.{name}"))
            {
                yield return fault;
            }
        }
    }

    private static bool Is(JsonNode? value, string type) => (value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "number" || (type == "integer" && !value!.ToJsonString().Contains('.')),
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        _ => type == "null",
    };
}
