using Pillarbox.Broker.Routing;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>A destination as a client writes it: STOMP leaves its meaning to the node (1.2, "SEND").</summary>
/// <param name="Name">Address, and queue when it is named (<c>address::queue</c>), without prefix.</param>
/// <param name="RoutingType">What the prefix asks for; null: nothing.</param>
/// <param name="IsTemporary">Whether it is the client's own name for a temporary destination.</param>
internal readonly record struct Destination(AddressName Name, RoutingType? RoutingType, bool IsTemporary)
{
    /// <summary>The longest destination that is looked at.</summary>
    public const int CharsMax = 4096;

    /// <summary>Reads a destination; <paramref name="type"/> is what a header asks for, null: nothing.</summary>
    /// <exception cref="StompException">It is none.</exception>
    public static Destination Parse(string? text, StompOptions options, RoutingType? type = null) =>
        TryParse(text, options, type, out Destination destination, out string? error)
            ? destination : throw new StompException(error!);

    /// <summary>The same of what may be none.</summary>
    public static bool TryParse(
        string? text, StompOptions options, RoutingType? type, out Destination destination, out string? error)
    {
        destination = default;
        if (string.IsNullOrEmpty(text) || text.Length > CharsMax)
        {
            error = string.IsNullOrEmpty(text) ? "the frame names no destination" : "the destination is too long";
            return false;
        }

        string rest = text;
        RoutingType? fromPrefix = Cut(ref rest, options.AnycastPrefixes) ? Model.RoutingType.Anycast
            : Cut(ref rest, options.MulticastPrefixes) ? Model.RoutingType.Multicast
            : null;
        string whole = rest;
        bool temporary = fromPrefix is null && Cut(ref rest, options.TemporaryPrefixes);
        if (temporary)
        {
            bool topic = whole.AsSpan(0, whole.Length - rest.Length).Contains("topic", StringComparison.Ordinal);
            fromPrefix = topic ? Model.RoutingType.Multicast : Model.RoutingType.Anycast;
        }

        if (fromPrefix is not null && type is not null && fromPrefix != type)
        {
            error = "the destination's prefix contradicts the type that the frame asks for";
            return false;
        }

        if (!AddressName.TryParse(rest, out AddressName name, out error))
        {
            return false;
        }

        destination = new Destination(name, fromPrefix ?? type, temporary);
        return true;
    }

    /// <summary>The prefix of a text, which says what kind it is; empty: it has none.</summary>
    public static string PrefixOf(string text, StompOptions options)
    {
        string rest = text;
        _ = Cut(ref rest, options.AnycastPrefixes) || Cut(ref rest, options.MulticastPrefixes)
            || Cut(ref rest, options.TemporaryPrefixes);
        return text[..^rest.Length];
    }

    /// <summary>What stands before the address pattern in the text that this was read from; null: it is none.</summary>
    public string? PatternPrefixOf(string text) =>
        !IsTemporary && Name.Queue is null && AddressPattern.IsWildcard(Name.Address)
            ? text[..^Name.Address.Length] : null;

    /// <summary>Reads <c>destination-type</c> or <c>subscription-type</c>.</summary>
    public static RoutingType? TypeOf(string? text) => text?.ToUpperInvariant() switch
    {
        null => null,
        "ANYCAST" => Model.RoutingType.Anycast,
        "MULTICAST" => Model.RoutingType.Multicast,
        _ => throw new StompException("a type of destination is ANYCAST or MULTICAST"),
    };

    private static bool Cut(ref string text, IReadOnlyList<string> prefixes)
    {
        foreach (string prefix in prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                text = text[prefix.Length..];
                return true;
            }
        }

        return false;
    }
}
