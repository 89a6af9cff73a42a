using System.Globalization;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>A place that a peer may connect to instead of this one. Immutable.</summary>
/// <param name="Host">The host's name or address.</param>
/// <param name="Port">Its port; null: the usual one of the scheme.</param>
/// <param name="Scheme">E.g. <c>amqp</c>, <c>amqps</c>, <c>wss</c>; null: as before.</param>
/// <param name="Hostname">What to name in open; null: as before.</param>
public sealed record FailoverServer(string Host, int? Port, string? Scheme, string? Hostname)
{
    /// <summary>As a URL, or as host and port.</summary>
    public override string ToString()
    {
        string host = Host.Contains(':') && !Host.StartsWith('[') ? $"[{Host}]" : Host;
        string place = Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{host}:{port}") : host;
        return Scheme is null ? place : $"{Scheme}://{place}";
    }
}

/// <summary>The list of such places in the properties of open: maps with the fields of a redirect (part 2 section
/// 2.8.16).</summary>
internal static class FailoverList
{
    /// <summary>The property's name.</summary>
    public const string Property = "failover-server-list";

    /// <summary>Most places that are taken from a peer.</summary>
    public const int ServersMax = 32;

    private const string Host = "network-host";
    private const string Port = "port";
    private const string Scheme = "scheme";
    private const string Hostname = "hostname";

    /// <summary>The value of the property.</summary>
    public static AmqpValue Write(IEnumerable<FailoverServer> servers) =>
        AmqpValue.List([.. servers.Select(server => AmqpValue.Map(MapOf(server)))]);

    /// <summary>What a peer says; null: nothing. What cannot be read is left out.</summary>
    public static IReadOnlyList<FailoverServer>? Read(Open? open)
    {
        if (open?.Properties is not { } properties || !properties.TryGet(Property, out AmqpValue value)
            || value.Type != AmqpType.List)
        {
            return null;
        }

        return [.. value.AsList().Take(ServersMax).Select(ServerOf).OfType<FailoverServer>()];
    }

    private static AmqpMap MapOf(FailoverServer server)
    {
        var map = new AmqpMap();
        map.AddSymbol(Host, server.Host);
        if (server.Port is { } port)
        {
            // As text: so all peers read it.
            map.AddSymbol(Port, port.ToString(CultureInfo.InvariantCulture));
        }

        Add(map, Scheme, server.Scheme);
        Add(map, Hostname, server.Hostname);
        return map;
    }

    private static void Add(AmqpMap map, string key, string? value)
    {
        if (value is not null)
        {
            map.AddSymbol(key, value);
        }
    }

    private static FailoverServer? ServerOf(AmqpValue value)
    {
        if (value.Type != AmqpType.Map || value.AsMap() is not { } map || TextOf(map, Host) is not { Length: > 0 } host)
        {
            return null;
        }

        int? port = null;
        if (map.TryGet(Port, out AmqpValue stated))
        {
            bool isNumber = stated.TryGetInt64(out long number)
                || long.TryParse(stated.AsText(), NumberStyles.None, CultureInfo.InvariantCulture, out number);
            if (!isNumber || number is < 1 or > ushort.MaxValue)
            {
                return null;
            }

            port = (int)number;
        }

        return new FailoverServer(host, port, TextOf(map, Scheme), TextOf(map, Hostname));
    }

    private static string? TextOf(AmqpMap map, string key) =>
        map.TryGet(key, out AmqpValue value) ? value.AsText() : null;
}
