namespace Pillarbox.Router.LinkState;

// First character of a key: its class.
//
//   T topological   L local   A area   R router   M mobile, then the phase
//   C D link route prefix in, out      E F link route pattern in, out      H an edge router that is attached here

/// <summary>Keys of addresses as routers tell them each other.</summary>
public static class AddressKey
{
    private const string MobileClasses = "MCDEFH";

    /// <summary>The key of a mobile address, e.g. <c>M0orders</c>.</summary>
    /// <param name="address">Without scheme, host and leading slashes.</param>
    /// <param name="phase">0 to 9, or 'F' of a fallback destination.</param>
    public static string Mobile(string address, char phase = '0') => $"M{phase}{address}";

    /// <summary>The key by which edge router <paramref name="id"/> is reached.</summary>
    public static string Edge(string id) => $"H{id}";

    /// <summary>Whether routers tell each other of keys of this class.</summary>
    public static bool IsMobile(string key) =>
        key.Length > 1 && MobileClasses.Contains(key[0], StringComparison.Ordinal);
}
