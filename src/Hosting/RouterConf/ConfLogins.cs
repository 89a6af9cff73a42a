using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>
/// What the listeners of a <c>qdrouterd.conf</c> say of logins (<c>authenticatePeer</c>), as the node's security. A
/// file that says nothing of them makes a node without users, for its own machine only. In one that does, or with a
/// file of users, each listener is as it says, and who is let in may do what the policy does not forbid; users of that
/// file what their roles allow.
/// </summary>
internal static class ConfLogins
{
    private const string Anonymous = "anonymous";

    /// <summary>The listeners, each of which says now whether it asks for a login, and the security. Throws
    /// <see cref="ConfigException"/>.</summary>
    public static (IReadOnlyDictionary<string, ListenerConfig> Listeners, SecuritySection Security) Of(
        string source, IReadOnlyDictionary<string, ListenerConfig> listeners, string? usersFile)
    {
        bool[] asked = [.. listeners.Values.Select(l => l.Connections?.LoginRequired).OfType<bool>()];
        if (asked.Length == 0 && usersFile is null)
        {
            return (listeners, new SecuritySection { AllowAnonymous = true });
        }

        bool someLogIn = asked.Contains(true) || usersFile is not null;
        return (
            listeners.ToDictionary(entry => entry.Key, entry => Settle(source, entry.Key, entry.Value)),
            new SecuritySection
            {
                Required = someLogIn,
                AllowAnonymous = !someLogIn,
                UsersFile = usersFile,
                Permissions = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<Permission>>>
                {
                    ["#"] = RolesOf(someLogIn),
                },
            });
    }

    // In that router's file not to say it is to say no. Nobody shall do so to a network by leaving it out.
    private static ListenerConfig Settle(string source, string name, ListenerConfig listener)
    {
        ConnectionsConfig connections = listener.Connections ?? new ConnectionsConfig();
        if (connections.LoginRequired is not null)
        {
            return listener;
        }

        bool isLocal = listener.Addresses.All(
            place => ListenAddress.TryParse(place, out ListenAddress? address, out _) && address.IsLocal);
        return isLocal
            ? listener with { Connections = connections with { LoginRequired = false } }
            : throw new ConfigException(
                $"{source}: anybody could connect to the listener '{name}', others ask for a login: write "
                + "'authenticatePeer: no' if that is meant, else 'authenticatePeer: yes' or 'host: 127.0.0.1'");
    }

    // Where nobody logs in everybody may do everything, as with that router; beside who does, nobody manages the node.
    private static Dictionary<string, IReadOnlyList<Permission>> RolesOf(bool someLogIn)
    {
        Dictionary<string, IReadOnlyList<Permission>> roles = NodeSecurity.DefaultRoles.ToDictionary(
            role => role.Key, role => (IReadOnlyList<Permission>)[role.Value]);
        roles[ConnectionMapper.AuthenticatedRole] = [NodeSecurity.All];
        roles[Anonymous] =
            [someLogIn ? NodeSecurity.DefaultRoles["client"] | Permission.View : NodeSecurity.All];
        return roles;
    }
}
