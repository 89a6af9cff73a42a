using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// Compares a JSON document with the shape of the configuration before it is bound, so that a typing error is named
/// with
/// its place, and with the nearest name that would have been right.
/// </summary>
internal static class ConfigChecker
{
    /// <summary>Throws <see cref="ConfigException"/> at the first thing that does not fit.</summary>
    public static void Check(JsonNode? node, JsonTypeInfo type, string source, string path)
    {
        if (node is null)
        {
            return;
        }

        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                CheckObject(Expect<JsonObject>(node, "an object { }", source, path), type, source, path);
                break;
            case JsonTypeInfoKind.Dictionary:
                CheckDictionary(Expect<JsonObject>(node, "an object { }", source, path), type, source, path);
                break;
            case JsonTypeInfoKind.Enumerable:
                CheckArray(Expect<JsonArray>(node, "a list [ ]", source, path), type, source, path);
                break;
            default:
                CheckScalar(node, Nullable.GetUnderlyingType(type.Type) ?? type.Type, source, path);
                break;
        }
    }

    /// <summary>The property by that name, case aside, or an error that names the nearest.</summary>
    public static JsonPropertyInfo Property(JsonTypeInfo type, string name, string source, string path)
    {
        foreach (JsonPropertyInfo property in type.Properties)
        {
            if (property.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return property;
            }
        }

        IEnumerable<string> names = type.Properties.Select(p => p.Name).Where(n => n[0] != '$');
        string hint = NearestName.Find(name, names) is { } near
            ? $"did you mean '{near}'?"
            : $"known here: {string.Join(", ", names)}";
        throw new ConfigException($"{source}: unknown key '{Join(path, name)}'; {hint}");
    }

    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static void CheckObject(JsonObject node, JsonTypeInfo type, string source, string path)
    {
        foreach ((string name, JsonNode? value) in node)
        {
            JsonPropertyInfo property = Property(type, name, source, path);
            Check(value, type.Options.GetTypeInfo(property.PropertyType), source, Join(path, property.Name));
        }
    }

    private static void CheckDictionary(JsonObject node, JsonTypeInfo type, string source, string path)
    {
        JsonTypeInfo element = type.Options.GetTypeInfo(type.ElementType!);
        foreach ((string name, JsonNode? value) in node)
        {
            Check(value, element, source, Join(path, name));
        }
    }

    private static void CheckArray(JsonArray node, JsonTypeInfo type, string source, string path)
    {
        JsonTypeInfo element = type.Options.GetTypeInfo(type.ElementType!);
        for (int i = 0; i < node.Count; i++)
        {
            Check(node[i], element, source, $"{path}[{i}]");
        }
    }

    private static void CheckScalar(JsonNode node, Type type, string source, string path)
    {
        (string wanted, bool fits) = type switch
        {
            _ when type == typeof(string) => ("a text", node.GetValueKind() == JsonValueKind.String),
            _ when type == typeof(bool) =>
                ("true or false", node.GetValueKind() is JsonValueKind.True or JsonValueKind.False),
            _ when type == typeof(int) => ("a whole number", IsNumber<int>(node)),
            _ when type == typeof(long) => ("a whole number", IsNumber<long>(node)),
            _ when type == typeof(double) => ("a number", IsNumber<double>(node)),
            _ when type.IsEnum => CheckEnum(node, type, source, path),
            _ => throw new InvalidOperationException($"no configuration value has the type {type}"),
        };
        if (!fits)
        {
            throw new ConfigException($"{source}: '{path}' must be {wanted}, not {Show(node)}");
        }
    }

    private static (string Wanted, bool Fits) CheckEnum(JsonNode node, Type type, string source, string path)
    {
        string[] names = [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)];
        string? text = node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
        if (text is null || names.Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            return ($"one of {string.Join(", ", names)}", text is not null);
        }

        string hint = NearestName.Find(text, names) is { } near ? $"; did you mean '{near}'?" : "";
        throw new ConfigException(
            $"{source}: '{path}' must be one of {string.Join(", ", names)}, not {Show(node)}{hint}");
    }

    private static bool IsNumber<T>(JsonNode node) =>
        node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out T? _);

    private static T Expect<T>(JsonNode node, string wanted, string source, string path)
        where T : JsonNode =>
        node as T ?? throw new ConfigException(
            path.Length == 0
                ? $"{source}: the file must hold {wanted}, not {Show(node)}"
                : $"{source}: '{path}' must be {wanted}, not {Show(node)}");

    private static string Show(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => node.ToJsonString(),
    };
}
