using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Peers;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the node's part in a network: the router, and the connections that it keeps.</summary>
internal sealed class NodeRouter : IDisposable
{
    private const int IdBytes = 6;

    private readonly RouterSection _section;
    private readonly NodeSeams _seams;
    private readonly NodeDialer _dialer;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connectors = [];

    private NodeRouter(RouterSection section, PillarboxConfig config, NodeSeams seams)
    {
        _section = section;
        _seams = seams;
        _dialer = new NodeDialer(seams.LoggerFactory);
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
            Configured = [.. RouterEntities.Of(config, section)],
            Time = seams.Time,
            Random = seams.Random,
            Logs = seams.LoggerFactory,
        });
    }

    /// <summary>The router.</summary>
    public NodeNetwork Network { get; }

    /// <summary>The part that the configuration asks for; null: none.</summary>
    public static NodeRouter? Of(PillarboxConfig config, NodeSeams seams) =>
        config.Router is null ? null : new NodeRouter(config.Router, config, seams);

    /// <summary>Its TCP services; null before the start.</summary>
    public NodeTcp? Services { get; private set; }

    /// <summary>Makes the connections, and opens the TCP services. Throws <see cref="StartException"/>.</summary>
    public async Task StartAsync(AmqpConnectionHandler engine)
    {
        Services = await NodeTcp.StartAsync(_section, Network, _seams.LoggerFactory);
        ILogger logger = _seams.LoggerFactory.CreateLogger("Pillarbox.Router");
        foreach ((string name, ConnectorConfig config) in _section.Connectors)
        {
            var connector = new Connector(engine, OptionsOf(name, config), _seams.Time, logger);
            _connectors.Add(connector.RunAsync(_stop.Token));
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        Services?.Dispose();
        Network.Dispose();
        _dialer.Dispose();
        _stop.Dispose();
    }

    private static string RandomId(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[IdBytes];
        random.Fill(bytes);
        return "node-" + Convert.ToHexStringLower(bytes);
    }

    private static AddressRule RuleOf(RouterAddressConfig config) => new()
    {
        Pattern = config.Pattern ?? config.Prefix!.TrimEnd('.', '/') + "/#",
        Treatment = config.Distribution,
        IngressPhase = config.IngressPhase,
        EgressPhase = config.Waypoint ? 1 : config.EgressPhase,
        HasFallback = config.EnableFallback,
    };

    private ConnectorOptions OptionsOf(string name, ConnectorConfig config) => new()
    {
        Name = name,
        Plan = new ConnectionPlan(config.Role, IsInitiator: true) { Name = name, Cost = config.Cost },
        Targets = [.. config.Addresses.Select(text => TargetOf(text, config.Tls))],
        TargetOf = text => ListenAddress.TryParse(text, out _, out _) ? TargetOf(text, config.Tls) : null,
        Credentials = new SaslCredentials
        {
            User = config.User,
            Password = config.Password
                ?? (config.PasswordFile is null ? null
                    : new Secret(CertificateLoader.ReadPassword(config.PasswordFile))),
        },
    };

    private ConnectorTarget TargetOf(string text, ConnectorTlsConfig? tls) =>
        ListenAddress.TryParse(text, out ListenAddress? address, out _)
        ? new ConnectorTarget(text, cancellation => _dialer.DialAsync(address, tls, cancellation))
        : throw new ConfigException($"a connector's address is '{text}'");
}
