namespace Pillarbox.Router.LinkState;

/// <summary>Which part of a router a control message is for.</summary>
public enum ControlService
{
    /// <summary><c>qdhello</c>: HELLO, one hop only.</summary>
    Hello,

    /// <summary><c>qdrouter</c>: RA, LSR, LSU.</summary>
    Router,

    /// <summary><c>qdrouter.ma</c>: MAU, MAR.</summary>
    MobileAddress,
}

// amqp:/_local/qdhello
// amqp:/_topo/<area>/<router>|all/qdrouter
// _topo/<area>/<router>|all/qdrouter.ma

/// <summary>Where a control message goes.</summary>
/// <param name="Service">The part of the router.</param>
/// <param name="Router">The router's id, "all", or null for a neighbour.</param>
public readonly record struct ControlAddress(ControlService Service, string? Router)
{
    /// <summary>The one area there is.</summary>
    public const string Area = "0";

    /// <summary>In place of an id: every router.</summary>
    public const string All = "all";

    private const string TopologicalPrefix = "_topo/";

    public bool IsForAll => Router == All;

    /// <summary>Reads an address, with or without scheme and leading slashes. False: it is none of these.</summary>
    public static bool TryParse(string address, out ControlAddress found)
    {
        ReadOnlySpan<char> path = address.AsSpan();
        path = path.StartsWith("amqp:", StringComparison.Ordinal) ? path["amqp:".Length..] : path;
        path = path.TrimStart('/');
        if (path.SequenceEqual("_local/qdhello"))
        {
            found = new ControlAddress(ControlService.Hello, null);
            return true;
        }
        found = default;
        return path.StartsWith(TopologicalPrefix, StringComparison.Ordinal)
            && TryParseTopological(path[TopologicalPrefix.Length..], out found);
    }

    /// <summary>The address as the protocol's peers write it.</summary>
    public override string ToString() => Service switch
    {
        ControlService.Hello => "amqp:/_local/qdhello",
        ControlService.MobileAddress when IsForAll => $"_topo/{Area}/all/qdrouter.ma",
        ControlService.MobileAddress => $"amqp:/_topo/{Area}/{Router}/qdrouter.ma",
        _ => $"amqp:/_topo/{Area}/{Router}/qdrouter",
    };

    private static bool TryParseTopological(ReadOnlySpan<char> rest, out ControlAddress found)
    {
        found = default;
        int area = rest.IndexOf('/');
        int service = rest.LastIndexOf('/');
        if (area < 1 || service <= area + 1)
        {
            return false;
        }
        ReadOnlySpan<char> name = rest[(service + 1)..];
        if (name.SequenceEqual("qdrouter"))
        {
            found = new ControlAddress(ControlService.Router, rest[(area + 1)..service].ToString());
            return true;
        }
        found = new ControlAddress(ControlService.MobileAddress, rest[(area + 1)..service].ToString());
        return name.SequenceEqual("qdrouter.ma");
    }
}
