using System.Collections.Immutable;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>The policy itself: its settings and what it has counted. Any thread.</summary>
internal sealed class PolicyOwner(PolicyEngine engine, RouterPolicyConfig config) : IEntityOwner
{
    /// <inheritdoc/>
    public string Type => "policy";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities
    {
        get
        {
            PolicyFacts facts = engine.Describe();
            return
            [
                new ConfiguredEntity(Type, "policy/0", "policy/0", ImmutableDictionary<string, AmqpValue>.Empty
                    .Add("maxConnections", (long)config.MaxConnections)
                    .Add("maxMessageSize", config.MaxMessageSize)
                    .Add("enableVhostPolicy", config.EnableVhostPolicy)
                    .Add("enableVhostNamePatterns", config.EnableVhostNamePatterns)
                    .Add("policyDir", config.PolicyDir ?? "")
                    .Add("defaultVhost", config.DefaultVhost)
                    .Add("connectionsProcessed", facts.ConnectionsProcessed)
                    .Add("connectionsDenied", facts.ConnectionsDenied)
                    .Add("connectionsCurrent", facts.ConnectionsCurrent)
                    .Add("linksDenied", facts.LinksDenied)
                    .Add("maxMessageSizeDenied", facts.MessagesDenied)
                    .Add("totalDenials", facts.TotalDenials)),
            ];
        }
    }
}

/// <summary>What the policy has counted for each virtual host. Any thread.</summary>
internal sealed class VhostStatsOwner(PolicyEngine engine) : IEntityOwner
{
    /// <inheritdoc/>
    public string Type => "vhostStats";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities =>
    [
        .. engine.Describe().Vhosts.Select(facts => new ConfiguredEntity(
            Type, $"vhostStats/{facts.Hostname}", $"vhostStats/{facts.Hostname}",
            ImmutableDictionary<string, AmqpValue>.Empty
                .Add("id", facts.Hostname)
                .Add("hostname", facts.Hostname)
                .Add("connectionsApproved", facts.Approved)
                .Add("connectionsDenied", facts.Denied)
                .Add("connectionsCurrent", facts.Current)
                .Add("perUserState", CountsOf(facts.PerUser))
                .Add("perHostState", CountsOf(facts.PerHost))
                .Add("sessionDenied", facts.SessionsDenied)
                .Add("senderDenied", facts.SendersDenied)
                .Add("receiverDenied", facts.ReceiversDenied)
                .Add("maxMessageSizeDenied", facts.MessagesDenied))),
    ];

    private static AmqpValue CountsOf(IReadOnlyDictionary<string, int> counts)
    {
        var map = new AmqpMap();
        foreach ((string key, int count) in counts)
        {
            map.Add(key, (long)count);
        }

        return AmqpValue.Map(map);
    }
}

/// <summary>Virtual hosts: those of the configuration, and those that are made, changed and removed while the node
/// runs; connections that stand keep the rules that they came in by. Any thread.</summary>
internal sealed class VhostOwner : IEntityOwner
{
    private const int VhostsMax = 10_000;

    private readonly PolicyEngine _engine;
    private readonly RouterPolicyConfig _policy;
    private readonly Lock _gate = new();
    private ImmutableDictionary<string, VhostConfig> _vhosts;

    public VhostOwner(
        PolicyEngine engine, RouterPolicyConfig policy, IReadOnlyDictionary<string, VhostConfig> vhosts)
    {
        (_engine, _policy) = (engine, policy);
        _vhosts = vhosts.ToImmutableDictionary(StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Type => "vhost";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. _vhosts.Select(entry => EntityOf(entry.Key, entry.Value))];

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(() =>
    {
        (string name, VhostConfig vhost) = PolicyMapper.VhostOf(
            RequestEntity.ReaderOf(Type, command.Name, command.Attributes));
        lock (_gate)
        {
            if (_vhosts.ContainsKey(name) || _vhosts.Count >= VhostsMax)
            {
                return new(new CommandResult($"There is a vhost '{name}' already, or {VhostsMax} of them"));
            }

            Swap(_vhosts.Add(name, vhost));
        }

        return new(CommandResult.Done(EntityOf(name, vhost)));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> UpdateAsync(UpdateEntity command) => RequestEntity.TryAsync(() =>
    {
        // What is not said stays as it is.
        ImmutableDictionary<string, AmqpValue> all = command.Entity.Attributes.SetItems(command.Changes);
        (string name, VhostConfig vhost) = PolicyMapper.VhostOf(
            RequestEntity.ReaderOf(Type, command.Entity.Name, all));
        lock (_gate)
        {
            if (!_vhosts.ContainsKey(name))
            {
                return new(new CommandResult($"There is no vhost '{name}'", ManagementStatus.NotFound));
            }

            Swap(_vhosts.SetItem(name, vhost));
        }

        return new(CommandResult.Done(EntityOf(name, vhost)));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => RequestEntity.TryAsync(() =>
    {
        string name = command.Entity.Attributes["hostname"].AsText()!;
        lock (_gate)
        {
            if (!_vhosts.ContainsKey(name))
            {
                return new(new CommandResult($"There is no vhost '{name}'", ManagementStatus.NotFound));
            }

            Swap(_vhosts.Remove(name));
        }

        return new(CommandResult.Done());
    });

    private void Swap(ImmutableDictionary<string, VhostConfig> vhosts)
    {
        PolicyRules rules = NodePolicy.RulesOf(_policy, vhosts);
        _vhosts = vhosts;
        _engine.Replace(rules);
    }

    private ConfiguredEntity EntityOf(string name, VhostConfig vhost)
    {
        ImmutableDictionary<string, AmqpValue> attributes = ImmutableDictionary<string, AmqpValue>.Empty
            .Add("hostname", name)
            .Add("aliases", string.Join(", ", vhost.Aliases))
            .Add("maxConnections", (long)vhost.MaxConnections)
            .Add("maxConnectionsPerUser", (long)vhost.MaxConnectionsPerUser)
            .Add("maxConnectionsPerHost", (long)vhost.MaxConnectionsPerHost)
            .Add("allowUnknownUser", vhost.AllowUnknownUser)
            .Add("groups", GroupsOf(vhost));
        return new ConfiguredEntity(
            Type, $"vhost/{name}", vhost.Name ?? name,
            vhost.MaxMessageSize is { } size ? attributes.Add("maxMessageSize", size) : attributes);
    }

    private static AmqpValue GroupsOf(VhostConfig vhost)
    {
        var groups = new AmqpMap();
        foreach ((string name, VhostGroupConfig group) in vhost.Groups)
        {
            groups.Add(name, AmqpValue.Map(MapOf(group)));
        }

        return AmqpValue.Map(groups);
    }

    private static AmqpMap MapOf(VhostGroupConfig group)
    {
        var map = new AmqpMap();
        AddTexts(map, ("users", group.Users), ("remoteHosts", group.RemoteHosts), ("sources", group.Sources),
            ("targets", group.Targets), ("sourcePattern", group.SourcePattern), ("targetPattern", group.TargetPattern));
        AddCounts(map, ("maxConnectionsPerUser", group.MaxConnectionsPerUser),
            ("maxConnectionsPerHost", group.MaxConnectionsPerHost), ("maxMessageSize", group.MaxMessageSize),
            ("maxFrameSize", group.MaxFrameSize), ("maxSessionWindow", group.MaxSessionWindow),
            ("maxSessions", group.MaxSessions), ("maxSenders", group.MaxSenders),
            ("maxReceivers", group.MaxReceivers));
        AddFlags(map, ("allowDynamicSource", group.AllowDynamicSource),
            ("allowAnonymousSender", group.AllowAnonymousSender), ("allowUserIdProxy", group.AllowUserIdProxy),
            ("allowWaypointLinks", group.AllowWaypointLinks), ("allowFallbackLinks", group.AllowFallbackLinks),
            ("allowDynamicLinkRoutes", group.AllowDynamicLinkRoutes),
            ("allowAdminStatusUpdate", group.AllowAdminStatusUpdate));
        return map;
    }

    private static void AddTexts(AmqpMap map, params ReadOnlySpan<(string, IReadOnlyList<string>)> lists)
    {
        foreach ((string name, IReadOnlyList<string> list) in lists)
        {
            if (list.Count > 0)
            {
                map.Add(name, string.Join(", ", list));
            }
        }
    }

    private static void AddCounts(AmqpMap map, params ReadOnlySpan<(string, long?)> counts)
    {
        foreach ((string name, long? count) in counts)
        {
            if (count is { } number)
            {
                map.Add(name, number);
            }
        }
    }

    private static void AddFlags(AmqpMap map, params ReadOnlySpan<(string, bool)> flags)
    {
        foreach ((string name, bool flag) in flags)
        {
            map.Add(name, flag);
        }
    }
}
