namespace Pillarbox.Router.Addresses;

/// <summary>What kind of place an address is.</summary>
internal enum RouteAddressClass : byte
{
    /// <summary>Wherever its consumers are.</summary>
    Mobile,

    /// <summary>Of this router only.</summary>
    Local,

    /// <summary>Of one router of the network, or of each.</summary>
    Topological,

    /// <summary>Of an edge router.</summary>
    Edge,
}

/// <summary>
/// An address as a client or another router writes it: with or without a scheme and host or leading slashes, and with
/// one separator at its end that counts for nothing.
/// </summary>
/// <param name="Class">What kind of place it is.</param>
/// <param name="Name">The address there.</param>
/// <param name="Router">The router's id, of topological and edge addresses; <c>all</c>: each router.</param>
internal readonly record struct RouteAddress(RouteAddressClass Class, string Name, string? Router)
{
    /// <summary>The longest address that is read, in characters.</summary>
    public const int CharsMax = 2000;

    /// <summary>In place of an id: every router.</summary>
    public const string AllRouters = "all";

    /// <summary>Whether it is of every router: a message goes to whoever draws from the local address of that name, at
    /// this router and at each other.</summary>
    public bool IsOfAll => this is { Class: RouteAddressClass.Topological, Router: AllRouters };

    /// <summary>Where somebody draws from who is here: who draws from every router's address draws from this
    /// one's.</summary>
    public RouteAddress Here => IsOfAll ? new RouteAddress(RouteAddressClass.Local, Name, null) : this;

    private const string Topological = "_topo/";
    private const string Local = "_local/";
    private const string Edge = "_edge/";

    /// <summary>Reads an address; false when there is none in it, or it is too long.</summary>
    public static bool TryParse(string text, out RouteAddress address)
    {
        address = default;
        if (text.Length > CharsMax)
        {
            return false;
        }

        ReadOnlySpan<char> rest = Bare(text);
        if (rest.StartsWith(Topological, StringComparison.Ordinal))
        {
            return TryParseTopological(rest[Topological.Length..], out address);
        }

        if (rest.StartsWith(Local, StringComparison.Ordinal))
        {
            address = new RouteAddress(RouteAddressClass.Local, rest[Local.Length..].ToString(), null);
        }
        else if (rest.StartsWith(Edge, StringComparison.Ordinal))
        {
            ReadOnlySpan<char> edge = rest[Edge.Length..];
            int slash = edge.IndexOf('/');
            address = slash < 1
                ? default
                : new RouteAddress(
                    RouteAddressClass.Edge, edge[(slash + 1)..].ToString(), edge[..slash].ToString());
        }
        else
        {
            address = new RouteAddress(RouteAddressClass.Mobile, rest.ToString(), null);
        }

        return !string.IsNullOrEmpty(address.Name);
    }

    /// <summary>The address as messages carry it.</summary>
    public override string ToString() => Class switch
    {
        RouteAddressClass.Topological => $"amqp:/_topo/0/{Router}/{Name}",
        RouteAddressClass.Local => $"amqp:/_local/{Name}",
        RouteAddressClass.Edge => $"amqp:/_edge/{Router}/{Name}",
        _ => Name,
    };

    private static ReadOnlySpan<char> Bare(string text)
    {
        ReadOnlySpan<char> rest = text;
        foreach (string scheme in (ReadOnlySpan<string>)["amqp:", "amqps:"])
        {
            if (rest.StartsWith(scheme, StringComparison.Ordinal))
            {
                rest = rest[scheme.Length..];
                rest = rest.StartsWith("//", StringComparison.Ordinal) ? AfterHost(rest[2..]) : rest;
                break;
            }
        }

        rest = rest.TrimStart('/');
        return rest is [.., '.' or '/'] ? rest[..^1] : rest;
    }

    private static ReadOnlySpan<char> AfterHost(ReadOnlySpan<char> rest)
    {
        int slash = rest.IndexOf('/');
        return slash < 0 ? default : rest[(slash + 1)..];
    }

    // <area>/<router>/<address>
    private static bool TryParseTopological(ReadOnlySpan<char> rest, out RouteAddress address)
    {
        address = default;
        int area = rest.IndexOf('/');
        int router = area < 0 ? -1 : rest[(area + 1)..].IndexOf('/');
        if (area < 1 || router < 1)
        {
            return false;
        }

        string id = rest.Slice(area + 1, router).ToString();
        string name = rest[(area + router + 2)..].ToString();
        address = new RouteAddress(RouteAddressClass.Topological, name, id);
        return name.Length > 0;
    }
}
