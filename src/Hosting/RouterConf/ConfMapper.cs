using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The entities of a <c>qdrouterd.conf</c> become a node's configuration: a router that keeps no messages.
/// </summary>
internal sealed class ConfMapper
{
    private const int AmqpPort = 5672;
    private const int AmqpsPort = 5671;
    private const int SecondsMax = 86_400;

    private static readonly (string, ConnectionRole)[] Roles =
    [
        ("normal", ConnectionRole.Normal), ("inter-router", ConnectionRole.InterRouter),
        ("edge", ConnectionRole.Edge), ("route-container", ConnectionRole.RouteContainer),
        ("on-demand", ConnectionRole.RouteContainer),
    ];

    private static readonly (string, AddressTreatment)[] Treatments =
    [
        ("balanced", AddressTreatment.Balanced), ("closest", AddressTreatment.Closest),
        ("multicast", AddressTreatment.Multicast), ("unavailable", AddressTreatment.Unavailable),
    ];

    private readonly string _source;
    private readonly List<string> _notes = [];
    private readonly Dictionary<string, EntityReader> _profiles = [];
    private readonly Dictionary<string, ListenerConfig> _listeners = [];
    private readonly Dictionary<string, ConnectorConfig> _connectors = [];
    private readonly List<RouterAddressConfig> _addresses = [];
    private readonly List<AutoLinkConfig> _autoLinks = [];
    private readonly List<LinkRouteConfig> _linkRoutes = [];
    private readonly List<RouterConfLog> _logs = [];
    private readonly HashSet<bool> _asksForLogin = [];
    private RouterSection _router = new();
    private LimitsConfig _limits = new();
    private bool _hasRouter;

    private ConfMapper(string source) => _source = source;

    /// <summary>All of a file. Throws <see cref="ConfigException"/> with the line.</summary>
    public static RouterConfFile Map(string source, IReadOnlyList<ConfEntity> entities)
    {
        var mapper = new ConfMapper(source);
        mapper.ReadAll(entities);
        return mapper.Result();
    }

    private void ReadAll(IReadOnlyList<ConfEntity> entities)
    {
        List<(ConfEntity Entity, EntityReader Reader)> all =
            [.. entities.Select(entity => (entity, new EntityReader(entity, _source, _notes)))];

        // A profile may stand behind what names it.
        foreach ((_, EntityReader reader) in all.Where(entry => entry.Entity.Type == "sslProfile"))
        {
            _profiles[reader.Require("name")] = reader;
        }

        foreach ((ConfEntity entity, EntityReader reader) in all)
        {
            Read(entity.Type, reader);
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
            case "log":
                _logs.Add(RouterConfLog.Read(reader));
                break;
            case "policy":
                _limits = _limits with
                {
                    ConnectionsMax = reader.Number("maxConnections", _limits.ConnectionsMax, 1, int.MaxValue),
                };
                break;
            case "sslProfile":
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

    private void ReadListener(EntityReader reader)
    {
        ConnectionRole role = reader.Choice("role", ConnectionRole.Normal, Roles);
        bool isHttp = reader.Truth("http");
        if (!isHttp)
        {
            _asksForLogin.Add(reader.Truth("authenticatePeer"));
        }

        TlsConfig? tls = reader.Text("sslProfile") is { } profile ? TlsOf(reader, profile) : null;
        if (tls is null && (reader.Truth("requireSsl") || reader.Truth("requireEncryption")))
        {
            throw reader.Fault("demands TLS, and needs an 'sslProfile' for it");
        }

        Add(_listeners, reader, "listener", new ListenerConfig
        {
            Protocol = isHttp ? ListenerProtocol.Http : ListenerProtocol.Amqp,
            Role = isHttp ? null : role,
            Cost = reader.Number("cost", 1, 1, int.MaxValue),
            Addresses = [Place(reader, isListener: true)],
            Failover = Places(reader),
            Tls = tls,
        });
    }

    private void ReadConnector(EntityReader reader)
    {
        if (reader.Text("sslProfile") is { } profile && !_profiles.ContainsKey(profile))
        {
            throw reader.Fault($"there is no sslProfile '{profile}'");
        }

        List<string> places = [Place(reader, isListener: false), .. Places(reader)];
        Add(_connectors, reader, "connector", new ConnectorConfig
        {
            Role = reader.Choice("role", ConnectionRole.Normal, Roles),
            Cost = reader.Number("cost", 1, 1, int.MaxValue),
            Addresses = places,
            User = reader.Text("saslUsername"),
            Password = reader.Text("saslPassword") is { } password ? ConfSecrets.Read(reader, password) : null,
            Tls = reader.Text("sslProfile") is { } name
                ? ClientTlsOf(_profiles[name], reader.Truth("verifyHostname", true))
                : null,
        });
    }

    private static List<string> Places(EntityReader reader) =>
    [
        .. (reader.Text("failoverUrls") ?? "")
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(url => PlaceOf(reader, url)),
    ];

    private static string PlaceOf(EntityReader reader, string url)
    {
        int scheme = url.IndexOf("://", StringComparison.Ordinal);
        string place = scheme < 0 ? url : url[(scheme + 3)..];
        bool isTls = url.StartsWith("amqps:", StringComparison.Ordinal);
        string withPort = place.LastIndexOf(':') > place.LastIndexOf(']') ? place
            : $"{place}:{(isTls ? AmqpsPort : AmqpPort)}";
        return ListenAddress.TryParse(withPort, out _, out _) ? withPort
            : throw reader.Fault($"'failoverUrls' must be amqp://host:port, separated by commas, not '{url}'");
    }

    private void ReadAddress(EntityReader reader)
    {
        reader.RequireOneOf("prefix", "pattern");
        _addresses.Add(new RouterAddressConfig
        {
            Prefix = reader.Text("prefix"),
            Pattern = reader.Text("pattern"),
            Distribution = reader.Choice("distribution", AddressTreatment.Balanced, Treatments),
            Waypoint = reader.Truth("waypoint"),
            IngressPhase = reader.Number("ingressPhase", 0, 0, 9),
            EgressPhase = reader.Number("egressPhase", 0, 0, 9),
            EnableFallback = reader.Truth("enableFallback"),
        });
    }

    private TlsConfig TlsOf(EntityReader user, string name)
    {
        EntityReader profile = _profiles.GetValueOrDefault(name)
            ?? throw user.Fault($"there is no sslProfile '{name}'");
        string? authorities = profile.Text("caCertFile");
        return new TlsConfig
        {
            Certificate = profile.Require("certFile"),
            Key = profile.Text("privateKeyFile"),
            PasswordFile = profile.Text("passwordFile"),
            Password = profile.Text("password") is { } password ? ConfSecrets.Read(profile, password) : null,
            ClientAuthorities = authorities,
            ClientCertificates = authorities is null ? ClientCertificateMode.None : ClientCertificateMode.Allow,
        };
    }

    private static ConnectorTlsConfig ClientTlsOf(EntityReader profile, bool checksName) => new()
    {
        Authorities = profile.Text("caCertFile"),
        Certificate = profile.Text("certFile"),
        Key = profile.Text("privateKeyFile"),
        PasswordFile = profile.Text("passwordFile"),
        Password = profile.Text("password") is { } password ? ConfSecrets.Read(profile, password) : null,
        VerifyName = checksName,
    };

    private static string Place(EntityReader reader, bool isListener)
    {
        string host = reader.Text("host") ?? (isListener ? "*" : "127.0.0.1");
        int port = reader.Text("port") switch
        {
            null or "amqp" => AmqpPort,
            "amqps" => AmqpsPort,
            _ => reader.Number("port", AmqpPort, isListener ? 0 : 1, 65535),
        };
        string place = host.Contains(':') && !host.StartsWith('[') ? $"[{host}]:{port}" : $"{host}:{port}";
        return ListenAddress.TryParse(place, out _, out string? error) ? place
            : throw reader.Fault($"the host {error}");
    }

    private static void Add<T>(Dictionary<string, T> all, EntityReader reader, string kind, T value)
    {
        string name = reader.Text("name") ?? $"{kind}/{all.Count + 1}";
        if (!all.TryAdd(name, value))
        {
            throw reader.Fault($"there is a second {kind} with the name '{name}'");
        }
    }

    private RouterConfFile Result()
    {
        if (_asksForLogin.Count > 1)
        {
            throw new ConfigException(
                $"{_source}: some listeners have 'authenticatePeer: yes' and others not; a node demands a login of all "
                + "or of none: start two nodes, or give all of them the same");
        }

        return new RouterConfFile(
            new PillarboxConfig
            {
                DataDirectory = PillarboxConfig.InMemory,
                Listeners = _listeners,
                Limits = _limits,
                Router = _router with
                {
                    Addresses = _addresses,
                    AutoLinks = _autoLinks,
                    LinkRoutes = _linkRoutes,
                    Connectors = _connectors,
                },
                Security = new SecuritySection
                {
                    Required = _asksForLogin.Contains(true),
                    AllowAnonymous = !_asksForLogin.Contains(true),
                },
            },
            _logs, _notes);
    }
}
