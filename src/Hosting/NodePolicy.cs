using System.Net;
using System.Net.Sockets;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Policy;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the rules of the router's policy. Names of hosts are looked up.</summary>
internal static class NodePolicy
{
    /// <summary>The rules of a configuration. Throws <see cref="ConfigException"/> with the place that is
    /// wrong.</summary>
    public static PolicyRules RulesOf(RouterPolicyConfig policy, IReadOnlyDictionary<string, VhostConfig> vhosts) =>
        new()
        {
            IsEnabled = policy.EnableVhostPolicy,
            TakesNamePatterns = policy.EnableVhostNamePatterns,
            DefaultVhost = policy.DefaultVhost,
            MaxConnections = policy.MaxConnections,
            MaxMessageBytes = policy.MaxMessageSize,
            Vhosts = [.. vhosts.Select(entry => VhostOf(entry.Key, entry.Value))],
        };

    /// <summary>The virtual hosts of the configuration and of the directory that it names.</summary>
    public static IReadOnlyDictionary<string, VhostConfig> VhostsOf(RouterSection section)
    {
        var all = new Dictionary<string, VhostConfig>(section.Vhosts, StringComparer.Ordinal);
        if (section.Policy.PolicyDir is { Length: > 0 } directory)
        {
            foreach ((string name, VhostConfig vhost) in PolicyFiles.Read(directory))
            {
                if (!all.TryAdd(name, vhost))
                {
                    throw new ConfigException($"{directory}: there is a second virtual host '{name}'");
                }
            }
        }

        return all;
    }

    private static VhostPolicy VhostOf(string name, VhostConfig config)
    {
        CheckUsers(name, config);
        return new VhostPolicy
        {
            Hostname = name,
            Aliases = config.Aliases,
            MaxConnections = config.MaxConnections,
            MaxConnectionsPerUser = config.MaxConnectionsPerUser,
            MaxConnectionsPerHost = config.MaxConnectionsPerHost,
            MaxMessageBytes = config.MaxMessageSize,
            AllowsUnknownUsers = config.AllowUnknownUser,
            Groups = config.Groups.ToDictionary(
                entry => entry.Key, entry => GroupOf($"vhost {name}, group {entry.Key}", entry.Value),
                StringComparer.Ordinal),
        };
    }

    // Who is in two groups would be in one of them by chance.
    private static void CheckUsers(string name, VhostConfig config)
    {
        string? twice = config.Groups.Values.SelectMany(group => group.Users)
            .GroupBy(user => user).FirstOrDefault(users => users.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new ConfigException($"vhost {name}: the user '{twice}' is in more than one group");
        }
    }

    private static GroupPolicy GroupOf(string place, VhostGroupConfig config) => new()
    {
        Users = config.Users.ToHashSet(StringComparer.Ordinal),
        RemoteHosts = HostRanges.TryParse(
            string.Join(',', config.RemoteHosts), LookUp, out HostRanges? hosts, out string? error)
            ? hosts
            : throw new ConfigException($"{place}: remoteHosts: '{error}' is no address, range or known host"),
        MaxConnectionsPerUser = config.MaxConnectionsPerUser,
        MaxConnectionsPerHost = config.MaxConnectionsPerHost,
        MaxMessageBytes = config.MaxMessageSize,
        MaxFrameBytes = config.MaxFrameSize,
        MaxSessionWindowBytes = config.MaxSessionWindow,
        MaxSessions = config.MaxSessions,
        MaxSenders = config.MaxSenders,
        MaxReceivers = config.MaxReceivers,
        AllowsDynamicSource = config.AllowDynamicSource,
        AllowsAnonymousSender = config.AllowAnonymousSender,
        AllowsUserIdProxy = config.AllowUserIdProxy,
        AllowsWaypointLinks = config.AllowWaypointLinks,
        AllowsFallbackLinks = config.AllowFallbackLinks,
        AllowsDynamicLinkRoutes = config.AllowDynamicLinkRoutes,
        AllowsAdminStatusUpdate = config.AllowAdminStatusUpdate,
        Sources = AllowedAddresses.Of(string.Join(',', config.Sources), string.Join(',', config.SourcePattern)),
        Targets = AllowedAddresses.Of(string.Join(',', config.Targets), string.Join(',', config.TargetPattern)),
    };

    private static IPAddress[] LookUp(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host);
        }
        catch (SocketException)
        {
            return [];
        }
    }
}
