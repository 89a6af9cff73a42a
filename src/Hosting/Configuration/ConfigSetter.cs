using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Pillarbox.Hosting.Configuration;

/// <summary>Puts one text value (an environment variable, a flag) at its place in the document.</summary>
internal static class ConfigSetter
{
    private const int ListItemsMax = 1024;

    /// <summary>
    /// Sets <paramref name="path"/>; unknown names and texts that do not fit are <see cref="ConfigException"/>s.
    /// </summary>
    public static void Set(JsonObject root, JsonTypeInfo type, ReadOnlySpan<string> path, string value, string source)
    {
        Put(root, type, path, value, source, "");
        ConfigChecker.Check(root, type, source, "");
    }

    private static void Put(
        JsonObject node, JsonTypeInfo type, ReadOnlySpan<string> path, string value, string source, string at)
    {
        string name = path[0];
        JsonTypeInfo inner;
        if (type.Kind == JsonTypeInfoKind.Dictionary)
        {
            inner = type.Options.GetTypeInfo(type.ElementType!);
        }
        else
        {
            JsonPropertyInfo property = ConfigChecker.Property(type, name, source, at);
            (name, inner) = (property.Name, type.Options.GetTypeInfo(property.PropertyType));
        }

        string key = node.Select(e => e.Key)
            .FirstOrDefault(k => k.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? name;
        node[key] = Next(node[key], inner, path[1..], value, source, ConfigChecker.Join(at, name));
    }

    private static JsonNode? Next(
        JsonNode? current, JsonTypeInfo type, ReadOnlySpan<string> rest, string value, string source, string at)
    {
        if (type.Kind == JsonTypeInfoKind.Enumerable)
        {
            return rest.IsEmpty ? List(value, type, source, at) : Item(current, type, rest, value, source, at);
        }

        bool structured = type.Kind is JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary;
        if (structured == rest.IsEmpty)
        {
            throw new ConfigException(structured
                ? $"{source}: '{at}' is an object: name the setting inside it"
                : $"{source}: '{at}' is a single value: nothing lies below it");
        }

        if (!structured)
        {
            return Scalar(type.Type, value);
        }

        JsonObject target = current as JsonObject ?? [];
        Put(target, type, rest, value, source, at);
        return target.Parent is null ? target : target.DeepClone();
    }

    private static JsonArray List(string value, JsonTypeInfo type, string source, string at)
    {
        JsonTypeInfo element = type.Options.GetTypeInfo(type.ElementType!);
        if (element.Kind != JsonTypeInfoKind.None)
        {
            throw new ConfigException($"{source}: '{at}' is a list of objects: name the item by its number, from 0");
        }

        var list = new JsonArray();
        const StringSplitOptions Tidy = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        foreach (string part in value.Split(',', Tidy))
        {
            list.Add(Scalar(element.Type, part));
        }

        return list;
    }

    private static JsonArray Item(
        JsonNode? current, JsonTypeInfo type, ReadOnlySpan<string> rest, string value, string source, string at)
    {
        JsonArray list = current as JsonArray ?? [];
        bool isNumber = int.TryParse(rest[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index);
        if (!isNumber || index >= ListItemsMax)
        {
            throw new ConfigException($"{source}: '{at}' is a list: '{rest[0]}' is no number of an item (from 0)");
        }

        while (list.Count <= index)
        {
            list.Add((JsonNode?)null);
        }

        JsonTypeInfo element = type.Options.GetTypeInfo(type.ElementType!);
        JsonNode? item = Next(list[index], element, rest[1..], value, source, $"{at}[{index}]");
        list[index] = item;
        return list.Parent is null ? list : (JsonArray)list.DeepClone();
    }

    private static JsonNode Scalar(Type type, string value)
    {
        Type inner = Nullable.GetUnderlyingType(type) ?? type;
        bool isLiteral = inner == typeof(bool)
            ? bool.TryParse(value, out _)
            : (inner == typeof(int) || inner == typeof(long) || inner == typeof(double))
                && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
        // What looks right becomes a JSON literal; the check that follows says what is wrong with the rest.
        try
        {
            return isLiteral ? JsonNode.Parse(value.Trim().ToLowerInvariant())! : JsonValue.Create(value);
        }
        catch (System.Text.Json.JsonException)
        {
            return JsonValue.Create(value);
        }
    }
}
