using System.Globalization;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// Other places where a server, or one that takes its part, is reached: a property of open that is a list of maps with
/// network-host, port, scheme and hostname.
/// </summary>
internal static class FailoverList
{
    /// <summary>The property's name.</summary>
    public const string Property = "failover-server-list";

    private const int AmqpPort = 5672;
    private const int AmqpsPort = 5671;

    /// <summary>Reads what a peer said; null: nothing. What has no host is left out.</summary>
    public static IReadOnlyList<string>? Of(AmqpMap? properties)
    {
        if (properties is null || !properties.TryGet(Property, out AmqpValue value)
            || value.Type is not AmqpType.List)
        {
            return null;
        }

        return [.. value.AsList().Select(item => PlaceOf(item.AsMap())).OfType<string>()];
    }

    /// <summary>What the node says of its own places, each <c>host:port</c>.</summary>
    public static AmqpValue Write(IEnumerable<string> places) => AmqpValue.List(
    [
        .. places.Select(place =>
        {
            int colon = place.LastIndexOf(':');
            var map = new AmqpMap();
            map.AddSymbol("network-host", place[..colon].Trim('[', ']'));
            map.AddSymbol("port", place[(colon + 1)..]);
            return AmqpValue.Map(map);
        }),
    ]);

    private static string? PlaceOf(AmqpMap? map)
    {
        if (map is null || TextOf(map, "network-host") is not { Length: > 0 } host)
        {
            return null;
        }

        bool isTls = TextOf(map, "scheme") == "amqps";
        string port = TextOf(map, "port") ?? (isTls ? AmqpsPort : AmqpPort).ToString(CultureInfo.InvariantCulture);
        return host.Contains(':') ? $"[{host}]:{port}" : $"{host}:{port}";
    }

    // Some write the port as a number.
    private static string? TextOf(AmqpMap map, string key) =>
        !map.TryGet(key, out AmqpValue value) ? null
        : value.AsText() is { } text ? text
        : value.TryGetInt64(out long number) ? number.ToString(CultureInfo.InvariantCulture)
        : null;
}
