using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting.Configuration;

/// <summary>The names of roles of connections on the command line and in what the node prints.</summary>
public static class ConnectionRoles
{
    private static readonly (string Name, ConnectionRole Role)[] Names =
    [
        ("inter-router", ConnectionRole.InterRouter),
        ("edge", ConnectionRole.Edge),
        ("route-container", ConnectionRole.RouteContainer),
    ];

    /// <summary>All names, for people.</summary>
    public static string Text => string.Join(", ", Names.Select(entry => entry.Name));

    /// <summary>Reads a role; false: the name is none.</summary>
    public static bool TryParse(string name, out ConnectionRole role)
    {
        int at = Array.FindIndex(Names, entry => entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        role = at < 0 ? ConnectionRole.Normal : Names[at].Role;
        return at >= 0;
    }

    /// <summary>The name of a role; null: of clients.</summary>
    public static string? NameOf(ConnectionRole role) => Array.Find(Names, entry => entry.Role == role).Name;
}
