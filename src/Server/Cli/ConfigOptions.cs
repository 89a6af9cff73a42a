using System.Collections;
using System.CommandLine;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;

namespace Pillarbox.Server.Cli;

/// <summary>The flags that say what a node is configured with, for every verb that needs it.</summary>
internal sealed class ConfigOptions
{
    private const string DefaultFile = "pillarbox.json";
    private const string WebSocketPrefix = "ws://";

    private readonly Option<string?> _data = new("--data")
    {
        Description = "The data directory (default ./data); :memory: keeps nothing.",
    };

    private readonly Option<string?> _file = new("--config")
    {
        Description = "The configuration file (default: pillarbox.json when it is there).",
    };

    private readonly Option<string[]> _listen = new("--listen")
    {
        Description = $"PROTOCOL=HOST:PORT ({ListenerConfig.ProtocolNames}); repeatable; replaces the configured. "
            + "Port 0: a free one. ROLE=ws://HOST:PORT: other nodes over WebSocket.",
    };

    private readonly Option<RunMode?> _mode = new("--mode")
    {
        Description = "broker (no network of nodes, the default), interior or edge (a node of a network), or "
            + "standalone (a router without others).",
    };

    private readonly Option<string?> _id = new("--id")
    {
        Description = "The node's id in its network, unique there.",
    };

    private readonly Option<string[]> _connect = new("--connect")
    {
        Description = $"ROLE=PLACE ({ConnectionRoles.Text}): another node, or a broker, to connect to: HOST:PORT, "
            + "amqps://HOST:PORT or wss://HOST:PORT/PATH; several with commas between are tried in turn; repeatable.",
    };

    private readonly Option<string[]> _waypoint = new("--waypoint")
    {
        Description = "ADDRESS: its messages go by way of the broker of --connect route-container; repeatable.",
    };

    private readonly Option<string[]> _linkRoute = new("--link-route")
    {
        Description = "PREFIX: links to such addresses go through to the broker of --connect route-container as a "
            + "whole; repeatable. '$coordinator': transactions.",
    };

    private readonly ConnectOptions _connectOptions = new();

    private readonly Option<string[]> _tcpListen = new("--tcp-listen")
    {
        Description = "SERVICE=HOST:PORT: where clients of a TCP service of the network connect; repeatable.",
    };

    private readonly Option<string[]> _tcpConnect = new("--tcp-connect")
    {
        Description = "SERVICE=HOST:PORT: where a server of a TCP service of the network listens; repeatable.",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "PATH=VALUE: one setting, e.g. limits.cacheBytes=134217728; repeatable.",
    };

    /// <summary>The flags that say where the data is.</summary>
    public void AddDataTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_file);
    }

    /// <summary>All flags.</summary>
    public void AddTo(Command command)
    {
        AddDataTo(command);
        command.Options.Add(_listen);
        command.Options.Add(_mode);
        command.Options.Add(_id);
        command.Options.Add(_connect);
        command.Options.Add(_waypoint);
        command.Options.Add(_linkRoute);
        _connectOptions.AddTo(command);
        command.Options.Add(_tcpListen);
        command.Options.Add(_tcpConnect);
        command.Options.Add(_set);
    }

    /// <summary>The configuration of file, environment and flags. Throws <see cref="ConfigException"/>.</summary>
    public PillarboxConfig Load(ParseResult parsed)
    {
        string? data = parsed.GetValue(_data);
        string[] listen = parsed.GetValue(_listen) ?? [];
        var listeners = Listeners(listen);
        return ConfigLoader.Load(new ConfigSources
        {
            File = parsed.GetValue(_file) ?? ConfigLoader.FindFile(DefaultFile),
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal),
            Settings = [.. (parsed.GetValue(_set) ?? []).Select(s => Pair(s, "--set PATH=VALUE"))],
            Flags = config => config with
            {
                DataDirectory = data ?? config.DataDirectory,
                Listeners = listeners.Count > 0 ? listeners : config.Listeners,
                Router = RouterOf(config.Router, parsed),
            },
        });
    }

    private RouterSection? RouterOf(RouterSection? configured, ParseResult parsed)
    {
        RunMode? mode = parsed.GetValue(_mode);
        string[] connect = parsed.GetValue(_connect) ?? [];
        string? id = parsed.GetValue(_id);
        string[] tcpListen = parsed.GetValue(_tcpListen) ?? [];
        string[] tcpConnect = parsed.GetValue(_tcpConnect) ?? [];
        bool asks = connect.Length + tcpListen.Length + tcpConnect.Length > 0 || id is not null;
        if (mode == RunMode.Broker || (mode is null && configured is null && !asks))
        {
            return mode == RunMode.Broker ? null : configured;
        }

        RouterSection router = configured ?? new RouterSection();
        router = router with
        {
            Mode = mode switch
            {
                RunMode.Interior => RouterMode.Interior,
                RunMode.Edge => RouterMode.Edge,
                RunMode.Standalone => RouterMode.Standalone,
                _ => router.Mode,
            },
            Id = id ?? router.Id,
            Connectors = connect.Length > 0 ? _connectOptions.Connectors(connect, parsed) : router.Connectors,
            TcpListeners = tcpListen.Length > 0 ? Services(tcpListen, "--tcp-listen") : router.TcpListeners,
            TcpConnectors = tcpConnect.Length > 0 ? Services(tcpConnect, "--tcp-connect") : router.TcpConnectors,
        };
        return BrokerFlags.Add(router, parsed.GetValue(_waypoint) ?? [], parsed.GetValue(_linkRoute) ?? []);
    }

    private static Dictionary<string, IReadOnlyList<string>> Services(string[] services, string flag)
    {
        var places = new Dictionary<string, IReadOnlyList<string>>();
        foreach (string text in services)
        {
            (string service, string place) = Pair(text, $"{flag} SERVICE=HOST:PORT");
            places[service] = [.. places.GetValueOrDefault(service) ?? [], place];
        }

        return places;
    }

    private static Dictionary<string, ListenerConfig> Listeners(string[] listen)
    {
        var listeners = new Dictionary<string, ListenerConfig>();
        foreach (string text in listen)
        {
            (string name, string address) = Pair(text, "--listen PROTOCOL=HOST:PORT");
            if (!ListenerConfig.TryProtocol(name, out ListenerProtocol protocol))
            {
                throw new ConfigException(
                    $"--listen {text}: '{name}' is no protocol; write {ListenerConfig.ProtocolNames}");
            }

            bool isWebSocket = address.StartsWith(WebSocketPrefix, StringComparison.OrdinalIgnoreCase)
                && ConnectionRoles.TryParse(name, out _);
            address = isWebSocket ? address[WebSocketPrefix.Length..] : address;
            if (!ListenAddress.TryParse(address, out _, out string? error))
            {
                throw new ConfigException($"--listen {text}: the address {error}");
            }

            if (isWebSocket)
            {
                _ = ConnectionRoles.TryParse(name, out ConnectionRole role);
                listeners[$"{name}-ws"] = new ListenerConfig
                {
                    Protocol = ListenerProtocol.Http,
                    Role = role,
                    Addresses = [.. listeners.GetValueOrDefault($"{name}-ws")?.Addresses ?? [], address],
                };
                continue;
            }

            IReadOnlyList<string> before = listeners.GetValueOrDefault(name)?.Addresses ?? [];
            listeners[name] = new ListenerConfig { Protocol = protocol, Addresses = [.. before, address] };
        }

        return listeners;
    }

    internal static KeyValuePair<string, string> Pair(string text, string shape)
    {
        int equals = text.IndexOf('=');
        return equals > 0
            ? new KeyValuePair<string, string>(text[..equals], text[(equals + 1)..])
            : throw new ConfigException($"'{text}' is not {shape}");
    }
}

/// <summary>What a node is, on the command line.</summary>
internal enum RunMode
{
    /// <summary>A broker without a network.</summary>
    Broker,

    /// <summary>A router without others.</summary>
    Standalone,

    /// <summary>One of the routers that know the whole network.</summary>
    Interior,

    /// <summary>A router behind one of the interior.</summary>
    Edge,
}
