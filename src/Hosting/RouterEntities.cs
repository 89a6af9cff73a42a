using System.Collections.Immutable;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Dialing;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the words of the router's management.</summary>
internal static class RouterEntities
{
    /// <summary>Host and port of a place.</summary>
    public static ImmutableDictionary<string, AmqpValue> PlaceOf(string place)
    {
        string address = DialPlace.TryParse(place, out DialPlace? parsed) && parsed.Scheme != DialScheme.Plain
            ? parsed.Authority : place;
        int colon = address.LastIndexOf(':');
        return ImmutableDictionary<string, AmqpValue>.Empty
            .Add("host", address[..Math.Max(colon, 0)])
            .Add("port", address[(colon + 1)..]);
    }

    /// <summary>The name of a role.</summary>
    public static string NameOf(ConnectionRole role) => ConnectionRoles.NameOf(role) ?? "normal";
}
