using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Dialing;
using Pillarbox.Hosting.Entities;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Router;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Owners;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the node's part in a network: the router, and the connections that it keeps.</summary>
internal sealed class NodeRouter : IDisposable
{
    private const int IdBytes = 6;

    private readonly RouterSection _section;
    private readonly NodeSeams _seams;

    private NodeRouter(PillarboxConfig config, RouterSection section, NodeSeams seams)
    {
        _section = section;
        _seams = seams;
        Profiles = new NamedOwner("sslProfile", section.Named);
        LoginServices = new NamedOwner("authServicePlugin", section.Named);
        Connectors = new NodeConnectors(seams.LoggerFactory, seams.Time);
        IReadOnlyDictionary<string, VhostConfig> vhosts = NodePolicy.VhostsOf(section);
        Policy = new PolicyEngine(NodePolicy.RulesOf(section.Policy, vhosts));
        Network = new NodeNetwork(new NodeNetworkOptions
        {
            Id = section.Id ?? RandomId(seams.Random),
            Mode = section.Mode,
            LinkCapacity = section.LinkCapacity,
            DefaultTreatment = section.DefaultDistribution,
            Addresses = [.. section.Addresses.Select(RuleOf)],
            AutoLinks = [.. section.AutoLinks.Select(ContainerRules.Of)],
            LinkRoutes = [.. section.LinkRoutes.Select(ContainerRules.Of)],
            Timers = new RouterOptions
            {
                Id = "",
                Instance = 0,
                HelloIntervalMs = section.HelloIntervalMs,
                HelloMaxAgeMs = section.HelloMaxAgeMs,
                RaIntervalMs = section.RaIntervalMs,
                RaIntervalFluxMs = section.RaIntervalFluxMs,
                RemoteLsMaxAgeMs = section.RemoteLsMaxAgeMs,
            },
            Time = seams.Time,
            Random = seams.Random,
            Logs = seams.LoggerFactory,
        });
        IEntityOwner[] owners =
        [
            Profiles, LoginServices, new ConnectorOwner(Connectors, Profiles, config),
            new PolicyOwner(Policy, section.Policy), new VhostStatsOwner(Policy),
            new VhostOwner(Policy, section.Policy, vhosts),
        ];
        foreach (IEntityOwner owner in owners)
        {
            Network.Owners.Add(owner);
        }

        if (seams.LogRules is { } rules)
        {
            Network.ObserveLog(() => rules.Latest);
            Network.Owners.Add(new LogOwner(rules));
            Network.Owners.Add(new LogStatsOwner(rules));
        }
    }

    /// <summary>TLS profiles that listeners and connectors name which are made while the node runs.</summary>
    public NamedOwner Profiles { get; }

    /// <summary>Login services that such listeners name.</summary>
    public NamedOwner LoginServices { get; }

    /// <summary>The router.</summary>
    public NodeNetwork Network { get; }

    /// <summary>Who may connect, and what for.</summary>
    public PolicyEngine Policy { get; }

    /// <summary>The connections that the node makes.</summary>
    public NodeConnectors Connectors { get; }

    /// <summary>The part that the configuration asks for; null: none.</summary>
    public static NodeRouter? Of(PillarboxConfig config, NodeSeams seams) =>
        config.Router is null ? null : new NodeRouter(config, config.Router, seams);

    /// <summary>Its TCP services; null before the start.</summary>
    public NodeTcp? Services { get; private set; }

    /// <summary>Makes the connections, and opens the TCP services. Throws <see cref="StartException"/>.</summary>
    public async Task StartAsync(AmqpConnectionHandler engine)
    {
        Services = await NodeTcp.StartAsync(_section, Network, _seams.LoggerFactory);
        Network.Owners.Add(new TcpListenerOwner(Services));
        Network.Owners.Add(new TcpConnectorOwner(Services));
        Connectors.Use(engine);
        foreach ((string name, ConnectorConfig config) in _section.Connectors)
        {
            Connectors.TryAdd(name, config);
        }
    }

    public void Dispose()
    {
        Connectors.Dispose();
        Services?.Dispose();
        Network.Dispose();
    }

    private static string RandomId(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[IdBytes];
        random.Fill(bytes);
        return "node-" + Convert.ToHexStringLower(bytes);
    }

    private static AddressRule RuleOf(RouterAddressConfig config) => new()
    {
        Name = config.Name,
        Pattern = config.Pattern ?? config.Prefix!.TrimEnd('.', '/') + "/#",
        IsPrefix = config.Pattern is null,
        Treatment = config.Distribution,
        IngressPhase = config.IngressPhase,
        EgressPhase = config.Waypoint ? 1 : config.EgressPhase,
        HasFallback = config.EnableFallback,
        Priority = config.Priority,
    };
}
