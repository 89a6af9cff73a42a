using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;

namespace Pillarbox.Hosting.Entities;

/// <summary>From the attributes of a request to what reads those of a <c>qdrouterd.conf</c>: one reader for both.</summary>
internal static class RequestEntity
{
    private const string Source = "request";

    /// <summary>A reader of attributes. Throws <see cref="ConfigException"/> for those that the type does not have, or
    /// that have no effect here.</summary>
    public static EntityReader ReaderOf(
        string type, string? name, ImmutableDictionary<string, AmqpValue> attributes)
    {
        Dictionary<string, JsonNode> nodes = attributes.ToDictionary(entry => entry.Key, entry => NodeOf(entry.Value)!);
        if (name is not null)
        {
            nodes["name"] = name;
        }

        return new EntityReader(new ConfEntity(type, 0, nodes), Source, []);
    }

    /// <summary>Does something, and makes a refusal of what is wrong with it.</summary>
    public static async ValueTask<CommandResult> TryAsync(Func<ValueTask<CommandResult>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e) when (e is ConfigException or StartException)
        {
            return new CommandResult(e.Message);
        }
    }

    private static JsonNode? NodeOf(AmqpValue value)
    {
        if (value.Type == AmqpType.Map)
        {
            var map = new JsonObject();
            foreach ((AmqpValue key, AmqpValue inner) in value.AsMap()!)
            {
                map[key.AsText() ?? $"{key}"] = NodeOf(inner);
            }

            return map;
        }

        return value.Type == AmqpType.List ? new JsonArray([.. value.AsList().Select(NodeOf)])
            : value.Type == AmqpType.Boolean ? JsonValue.Create(value.AsBoolean() ? "true" : "false")
            : value.TryGetInt64(out long number) ? JsonValue.Create(number.ToString(CultureInfo.InvariantCulture))
            : value.IsNull ? null : JsonValue.Create(value.AsText() ?? $"{value}");
    }
}
