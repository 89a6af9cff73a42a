using System.Collections.Concurrent;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>The plug of MQTT on Kestrel: one instance serves all MQTT listeners of a node. Thread-safe.</summary>
public sealed class MqttConnectionHandler : ConnectionHandler, IDisposable
{
    /// <summary>How often deadlines are looked at, in milliseconds: timeouts are late by at most this.</summary>
    public const int TickMs = 250;

    private readonly MqttEnvironment _environment;
    private readonly ConcurrentDictionary<long, MqttConnection> _connections = new();
    private readonly SystemTopics _system;
    private readonly ITimer _timer;
    private long _lastConnection;

    /// <summary>A handler for one broker.</summary>
    public MqttConnectionHandler(
        MessageBroker broker, MqttOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs)
        : this(broker, options, sasl, time, logs, SystemRandom.Instance)
    {
    }

    internal MqttConnectionHandler(
        MessageBroker broker, MqttOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs,
        IRandom random)
    {
        ILogger logger = logs.CreateLogger("Pillarbox.Protocols.Mqtt");
        _environment = new MqttEnvironment(broker, options, sasl, time, logger, random);
        _environment.Wills.RetainedOf = _environment.RetainedOf;
        _environment.Wills.StoreOf = _environment.WillsOf;
        foreach (string space in broker.SpacesWith(RetainedStore.WillsName))
        {
            _environment.Wills.Load(space);
        }

        _system = new SystemTopics(_environment);
        var period = TimeSpan.FromMilliseconds(TickMs);
        _timer = time.CreateTimer(static self => ((MqttConnectionHandler)self!).Tick(), this, period, period);
    }

    /// <summary>Connections now.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>From now on connections log in with these; those that are open stay as they are.</summary>
    public void Secure(bool allowAnonymous, SaslServers sasl) => _environment.Secure(allowAnonymous, sasl);

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection) =>
        PeerTransport.ServeAsync(connection, RunAsync);

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _system.Stop();
    }

    internal async Task RunAsync(PeerInfo peer, IDuplexPipe transport)
    {
        var connection = new MqttConnection(_environment, peer, transport);
        long number = Interlocked.Increment(ref _lastConnection);
        _connections.TryAdd(number, connection);
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            _connections.TryRemove(number, out _);
        }
    }

    private void Tick()
    {
        _environment.Wills.Tick(_environment.UnixMs);
        _environment.ExpireRetained(_environment.UnixMs);
        _ = _system.TickAsync(_environment.UnixMs);
        long now = _environment.SteadyMs;
        foreach ((_, MqttConnection connection) in _connections)
        {
            connection.Tick(now);
        }
    }
}
