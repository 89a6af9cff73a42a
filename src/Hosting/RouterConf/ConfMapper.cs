using Pillarbox.Hosting.Configuration;
using Pillarbox.Router;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The entities of a <c>qdrouterd.conf</c> become a node's configuration: a router that keeps no messages.
/// </summary>
internal sealed class ConfMapper
{
    private const int SecondsMax = 86_400;

    private static readonly (string, AddressTreatment)[] Treatments =
    [
        ("balanced", AddressTreatment.Balanced), ("closest", AddressTreatment.Closest),
        ("multicast", AddressTreatment.Multicast), ("unavailable", AddressTreatment.Unavailable),
    ];

    private readonly string _source;
    private readonly List<string> _notes = [];
    private readonly Dictionary<string, EntityReader> _profiles = [];
    private readonly Dictionary<string, EntityReader> _plugins = [];
    private readonly Dictionary<string, ListenerConfig> _listeners = [];
    private readonly Dictionary<string, ConnectorConfig> _connectors = [];
    private readonly Dictionary<string, IReadOnlyList<string>> _tcpListeners = [];
    private readonly Dictionary<string, IReadOnlyList<string>> _tcpConnectors = [];
    private readonly List<RouterAddressConfig> _addresses = [];
    private readonly List<AutoLinkConfig> _autoLinks = [];
    private readonly List<LinkRouteConfig> _linkRoutes = [];
    private readonly List<RouterConfLog> _logs = [];
    private readonly List<ConfEntity> _named = [];
    private readonly Dictionary<string, string> _serviceNames = [];
    private readonly HashSet<(string Type, string Name)> _names = [];
    private RouterSection _router = new();
    private readonly Dictionary<string, VhostConfig> _vhosts = [];
    private bool _hasRouter;

    private ConfMapper(string source) => _source = source;

    /// <summary>All of a file, with a file of users or without. Throws <see cref="ConfigException"/> with the
    /// line.</summary>
    public static RouterConfFile Map(string source, IReadOnlyList<ConfEntity> entities, string? usersFile)
    {
        var mapper = new ConfMapper(source);
        mapper.ReadAll(entities);
        return mapper.Result(usersFile);
    }

    private void ReadAll(IReadOnlyList<ConfEntity> entities)
    {
        List<(ConfEntity Entity, EntityReader Reader)> all =
            [.. entities.Select(entity => (entity, new EntityReader(entity, _source, _notes)))];

        // A profile may stand behind what names it.
        Collect("sslProfile", _profiles);
        Collect("authServicePlugin", _plugins);

        foreach ((ConfEntity entity, EntityReader reader) in all)
        {
            Read(entity.Type, reader);
        }

        void Collect(string type, Dictionary<string, EntityReader> into)
        {
            foreach ((ConfEntity entity, EntityReader reader) in all.Where(entry => entry.Entity.Type == type))
            {
                string name = reader.Require("name");
                if (!into.TryAdd(name, reader))
                {
                    throw reader.Fault($"there is a second {type} with the name '{name}'");
                }

                _named.Add(entity);
            }
        }
    }

    private void Read(string type, EntityReader reader)
    {
        switch (type)
        {
            case "router":
                ReadRouter(reader);
                break;
            case "listener":
                ReadListener(reader);
                break;
            case "connector":
                ReadConnector(reader);
                break;
            case "router.config.address":
                ReadAddress(reader);
                break;
            case "router.config.linkRoute":
                _linkRoutes.Add(ContainerReader.ReadLinkRoute(reader));
                break;
            case "router.config.autoLink":
                _autoLinks.Add(ContainerReader.ReadAutoLink(reader));
                break;
            case "tcpListener":
                AddService(_tcpListeners, reader, type, isListener: true);
                break;
            case "tcpConnector":
                AddService(_tcpConnectors, reader, type, isListener: false);
                break;
            case "log":
                _logs.Add(RouterConfLog.Read(reader));
                break;
            case "policy":
                _router = _router with { Policy = PolicyMapper.PolicyOf(reader) };
                break;
            case "vhost":
                (string name, VhostConfig vhost) = PolicyMapper.VhostOf(reader);
                if (!_vhosts.TryAdd(name, vhost))
                {
                    throw reader.Fault($"there is a second vhost '{name}'");
                }

                break;
            case "vhostUserGroupSettings":
                throw reader.Fault("groups stand inside of a 'vhost', in 'groups'");
            case "sslProfile" or "authServicePlugin":
                break;
            default:
                throw reader.Fault($"the entity '{type}' is not taken yet");
        }
    }

    private void ReadRouter(EntityReader reader)
    {
        if (_hasRouter)
        {
            throw reader.Fault("there is a second 'router'");
        }

        _hasRouter = true;
        _router = _router with
        {
            Id = reader.Text("id"),
            Mode = reader.Choice("mode", RouterMode.Standalone, ("standalone", RouterMode.Standalone),
                ("interior", RouterMode.Interior), ("edge", RouterMode.Edge)),
            DefaultDistribution = reader.Choice("defaultDistribution", AddressTreatment.Balanced, Treatments),
            HelloIntervalMs = Seconds(reader, "helloIntervalSeconds", _router.HelloIntervalMs),
            HelloMaxAgeMs = Seconds(reader, "helloMaxAgeSeconds", _router.HelloMaxAgeMs),
            RaIntervalMs = Seconds(reader, "raIntervalSeconds", _router.RaIntervalMs),
            RaIntervalFluxMs = Seconds(reader, "raIntervalFluxSeconds", _router.RaIntervalFluxMs),
            RemoteLsMaxAgeMs = Seconds(reader, "remoteLsMaxAgeSeconds", _router.RemoteLsMaxAgeMs),
        };
    }

    private static int Seconds(EntityReader reader, string attribute, int otherwiseMs) =>
        reader.Number(attribute, otherwiseMs / 1000, 1, SecondsMax) * 1000;

    private void ReadListener(EntityReader reader) =>
        Add(_listeners, reader, "listener", ConnectionMapper.ListenerOf(reader, _profiles, _plugins));

    private void ReadConnector(EntityReader reader) =>
        Add(_connectors, reader, "connector", ConnectionMapper.ConnectorOf(reader, _profiles));

    private void AddService(
        Dictionary<string, IReadOnlyList<string>> all, EntityReader reader, string type, bool isListener)
    {
        string service = reader.Require("address");
        reader.Require("port");
        IReadOnlyList<string> others = all.GetValueOrDefault(service) ?? [];
        if (NameOf(reader, type) is { } name)
        {
            _serviceNames.Add(NodeTcp.NameOf(type, service, others.Count), name);
        }

        all[service] = [.. others, ConnectionMapper.Place(reader, isListener)];
    }

    // What the operator calls it; null: nothing.
    private string? NameOf(EntityReader reader, string type)
    {
        string? name = reader.Text("name");
        return name is null || _names.Add((type, name)) ? name
            : throw reader.Fault($"there is a second {type} with the name '{name}'");
    }

    private void ReadAddress(EntityReader reader)
    {
        reader.RequireOneOf("prefix", "pattern");
        _addresses.Add(new RouterAddressConfig
        {
            Name = NameOf(reader, "address"),
            Prefix = reader.Text("prefix"),
            Pattern = reader.Text("pattern"),
            Distribution = reader.Choice("distribution", AddressTreatment.Balanced, Treatments),
            Waypoint = reader.Truth("waypoint"),
            IngressPhase = reader.Number("ingressPhase", 0, 0, 9),
            EgressPhase = reader.Number("egressPhase", 0, 0, 9),
            EnableFallback = reader.Truth("enableFallback"),
            Priority = reader.Has("priority") ? reader.Number("priority", 0, 0, 9) : null,
        });
    }

    private static void Add<T>(Dictionary<string, T> all, EntityReader reader, string kind, T value)
    {
        string name = reader.Text("name") ?? $"{kind}/{all.Count + 1}";
        if (!all.TryAdd(name, value))
        {
            throw reader.Fault($"there is a second {kind} with the name '{name}'");
        }
    }

    private RouterConfFile Result(string? usersFile)
    {
        (IReadOnlyDictionary<string, ListenerConfig> listeners, SecuritySection security) =
            ConfLogins.Of(_source, _listeners, usersFile);
        return new RouterConfFile(
            new PillarboxConfig
            {
                DataDirectory = PillarboxConfig.InMemory,
                Listeners = listeners,
                Router = _router with
                {
                    Addresses = _addresses,
                    AutoLinks = _autoLinks,
                    LinkRoutes = _linkRoutes,
                    Connectors = _connectors,
                    TcpListeners = _tcpListeners,
                    TcpConnectors = _tcpConnectors,
                    Vhosts = _vhosts,
                    IsFromConf = true,
                    Named = _named,
                    ServiceNames = _serviceNames,
                },
                Security = security,
            },
            _logs, _notes);
    }
}
