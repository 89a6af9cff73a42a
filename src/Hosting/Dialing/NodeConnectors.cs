using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router.Peers;

namespace Pillarbox.Hosting.Dialing;

/// <summary>The connections that the node makes and keeps: configuration to connectors that run. They come and go while
/// the node runs. Any thread.</summary>
internal sealed class NodeConnectors(ILoggerFactory logs, TimeProvider time) : IDisposable
{
    private readonly NodeDialer _dialer = new(logs, time);
    private readonly ILogger _logger = logs.CreateLogger("Pillarbox.Router");
    private readonly Dictionary<string, Running> _running = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private AmqpConnectionHandler? _engine;

    /// <summary>Those that run, and their configuration.</summary>
    public IReadOnlyList<(ConnectorConfig Config, Connector Connector)> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _running.Values.Select(running => (running.Config, running.Connector))];
            }
        }
    }

    /// <summary>Who runs the connections; said before the first.</summary>
    public void Use(AmqpConnectionHandler engine) => _engine = engine;

    /// <summary>Connects, and keeps connected. False: there is one of this name. Throws <see cref="StartException"/> or
    /// <see cref="ConfigException"/> when its files or places cannot be used.</summary>
    public bool TryAdd(string name, ConnectorConfig config)
    {
        ConnectorOptions options = OptionsOf(name, config);
        var running = new Running(
            config, new Connector(_engine!, options, time, _logger), new CancellationTokenSource());
        lock (_gate)
        {
            if (!_running.TryAdd(name, running))
            {
                running.Stop.Dispose();
                return false;
            }
        }

        _ = running.Connector.RunAsync(running.Stop.Token);
        return true;
    }

    /// <summary>Ends one and its connection. False: there is none of this name.</summary>
    public bool TryRemove(string name)
    {
        Running? running;
        lock (_gate)
        {
            if (!_running.Remove(name, out running))
            {
                return false;
            }
        }

        running.Stop.Cancel();
        return true;
    }

    public void Dispose()
    {
        Running[] all;
        lock (_gate)
        {
            all = [.. _running.Values];
            _running.Clear();
        }

        foreach (Running running in all)
        {
            running.Stop.Cancel();
        }

        _dialer.Dispose();
    }

    private ConnectorOptions OptionsOf(string name, ConnectorConfig config)
    {
        var dial = new DialOptions(config.Tls, ProxyOf(config.Proxy));
        DialPlace[] places = [.. config.Addresses.Select(PlaceOf)];
        foreach (DialPlace place in places)
        {
            CheckFiles(place, dial);
        }

        bool needsTls = places.All(place => dial.TlsTo(place) is not null);

        return new ConnectorOptions
        {
            Name = name,
            Plan = new ConnectionPlan(config.Role, IsInitiator: true)
            {
                Name = name,
                Cost = config.Cost,
                PolicyVhost = config.PolicyVhost,
                OpenProperties = config.OpenProperties,
                Limits = config.Connections?.ToLimits(),
            },
            Targets = [.. places.Select(place => TargetOf(place, dial))],
            Adopt = config.FollowsPeers ? server => Adopt(server, dial, needsTls) : null,
            Credentials = new SaslCredentials
            {
                User = config.User,
                Mechanism = config.Connections?.Mechanisms is [var only] ? only : null,
                Password = config.Password
                    ?? (config.PasswordFile is null ? null
                        : new Secret(CertificateLoader.ReadPassword(config.PasswordFile))),
                HasCertificate = config.Tls?.Certificate is not null && config.User is null,
            },
        };
    }

    // What cannot be used is said at the start, and not only in the log.
    private static void CheckFiles(DialPlace place, DialOptions dial)
    {
        if (dial.TlsTo(place) is { } tls)
        {
            _ = new TlsOptions(place.Host, tls);
        }
    }

    private static DialPlace PlaceOf(string text) => DialPlace.TryParse(text, out DialPlace? place)
        ? place
        : throw new ConfigException($"a connector's address is '{text}'; write {DialPlace.Shape}");

    private static DialProxy? ProxyOf(ConnectorProxyConfig? proxy)
    {
        if (proxy is null)
        {
            return null;
        }

        if (!proxy.TryAddress(out ListenAddress? address))
        {
            throw new ConfigException($"a connector's proxy is '{proxy.Url}'; write http://host:port");
        }

        Secret? password = proxy.PasswordFile is { } file ? new Secret(CertificateLoader.ReadPassword(file))
            : proxy.PasswordVariable is not { } variable ? null
            : new Secret(Environment.GetEnvironmentVariable(variable)
                ?? throw new ConfigException(
                    $"the environment variable '{variable}' of a proxy's password is not set"));
        return new DialProxy(address, proxy.User, password);
    }

    private ConnectorTarget TargetOf(DialPlace place, DialOptions dial) =>
        new(place.ToString(), async cancellation =>
        {
            try
            {
                return await _dialer.DialAsync(place, dial, cancellation);
            }
            catch (StartException e)
            {
                throw new DialException(e.Message, e);
            }
        })
        {
            Hostname = place.Address.UnixPath is null ? place.Host : null,
        };

    // A peer may lead the node to other hosts, and not away from TLS.
    private ConnectorTarget? Adopt(FailoverServer server, DialOptions dial, bool needsTls)
    {
        string text = (server with { Scheme = server.Scheme ?? (needsTls ? "amqps" : "amqp") }).ToString();
        if (!DialPlace.TryParse(text, out DialPlace? place) || (needsTls && dial.TlsTo(place) is null))
        {
            return null;
        }

        // As it is written where TLS has a section: so a place that is configured is not there twice.
        bool isUsual = dial.Tls is not null && place.Scheme == DialScheme.Tls;
        ConnectorTarget target = TargetOf(isUsual ? place with { Scheme = DialScheme.Plain } : place, dial);
        return target with { Hostname = server.Hostname ?? target.Hostname };
    }

    private sealed record Running(ConnectorConfig Config, Connector Connector, CancellationTokenSource Stop);
}
