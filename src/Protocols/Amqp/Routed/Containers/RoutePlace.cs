namespace Pillarbox.Protocols.Amqp.Routed.Containers;

/// <summary>Where in an address a link stands that does not follow the operator's rule for it.</summary>
/// <param name="Phase">The phase that it sends to or draws from, 0 to 9; <see cref="Fallback"/>.</param>
/// <param name="IsFallback">Whether it is one of a fallback destination: what it brings does not go there
/// again.</param>
public readonly record struct RoutePlace(int Phase, bool IsFallback)
{
    /// <summary>The phase of what nobody else takes: the letter F of the key, counted from 0.</summary>
    public const int Fallback = 'F' - '0';

    /// <summary>The terminus capability of a fallback destination.</summary>
    public const string FallbackCapability = "qd.fallback";

    private const string WaypointCapability = "qd.waypoint";
    private const int WaypointMax = 9;

    /// <summary>What a terminus bears to say that it is one of a waypoint, or of an edge that has it.</summary>
    public static string Waypoint(int ordinal) => $"{WaypointCapability}.{ordinal}";

    /// <summary>What the capabilities of a terminus ask for; null: nothing.</summary>
    /// <param name="capabilities">The capabilities.</param>
    /// <param name="toSend">Whether the peer sends on the link.</param>
    /// <param name="isEdge">Whether the peer is an edge: it sends to a fallback destination by such a link, where a
    /// client gives back what came there.</param>
    public static RoutePlace? Of(string[]? capabilities, bool toSend, bool isEdge = false)
    {
        if (capabilities is null)
        {
            return null;
        }

        if (capabilities.Contains(FallbackCapability))
        {
            return new RoutePlace(toSend && !isEdge ? 0 : Fallback, IsFallback: true);
        }

        foreach (string capability in capabilities)
        {
            // A waypoint sends to the phase of its number, and draws from the one before.
            if (OrdinalOf(capability) is { } ordinal)
            {
                return new RoutePlace(toSend ? ordinal : ordinal - 1, IsFallback: false);
            }
        }

        return null;
    }

    private static int? OrdinalOf(string capability)
    {
        if (!capability.StartsWith(WaypointCapability, StringComparison.Ordinal))
        {
            return null;
        }

        ReadOnlySpan<char> rest = capability.AsSpan(WaypointCapability.Length);
        return rest.IsEmpty ? 1
            : rest[0] == '.' && int.TryParse(rest[1..], out int ordinal) && ordinal is >= 1 and <= WaypointMax
                ? ordinal : null;
    }
}
