namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>The versions of STOMP, in the order of their age.</summary>
internal enum StompVersion : byte
{
    /// <summary>1.0: headers are bytes as they stand.</summary>
    V10,

    /// <summary>1.1: headers are escaped, lines end in LF.</summary>
    V11,

    /// <summary>1.2: lines may end in CR LF, and CR is escaped too.</summary>
    V12,
}

/// <summary>The versions' names on the wire.</summary>
internal static class StompVersions
{
    /// <summary>What the node speaks, for <c>version</c> of an ERROR (1.2, "Protocol Negotiation").</summary>
    public const string Supported = "1.0,1.1,1.2";

    /// <summary>A version's name.</summary>
    public static string NameOf(StompVersion version) => version switch
    {
        StompVersion.V10 => "1.0",
        StompVersion.V11 => "1.1",
        _ => "1.2",
    };

    /// <summary>The newest of a list <c>1.0,1.1,…</c> that the node speaks; null: none. No list means 1.0.</summary>
    public static StompVersion? Negotiate(string? acceptVersion)
    {
        if (acceptVersion is null)
        {
            return StompVersion.V10;
        }

        StompVersion? best = null;
        foreach (Range part in acceptVersion.AsSpan().Split(','))
        {
            StompVersion? one = acceptVersion.AsSpan()[part].Trim() switch
            {
                "1.0" => StompVersion.V10,
                "1.1" => StompVersion.V11,
                "1.2" => StompVersion.V12,
                _ => null,
            };
            best = one is not null && (best is null || one > best) ? one : best;
        }

        return best;
    }
}
