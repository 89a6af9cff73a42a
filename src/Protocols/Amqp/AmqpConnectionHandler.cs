using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp;

/// <summary>The plug of AMQP 1.0 on Kestrel: one instance serves all AMQP listeners of a node. Thread-safe.</summary>
public sealed class AmqpConnectionHandler : ConnectionHandler, IDisposable
{
    /// <summary>How often deadlines are looked at, in milliseconds: timeouts are late by at most this.</summary>
    public const int TickMs = 250;

    private readonly AmqpEnvironment _environment;
    private readonly ConcurrentDictionary<long, AmqpConnection> _connections = new();
    private readonly ITimer _timer;
    private long _lastConnection;

    /// <summary>A handler for one broker.</summary>
    public AmqpConnectionHandler(
        MessageBroker broker, AmqpOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs)
        : this(broker, options, sasl, time, logs, SystemRandom.Instance)
    {
    }

    internal AmqpConnectionHandler(
        MessageBroker broker, AmqpOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs,
        IRandom random)
    {
        ILogger logger = logs.CreateLogger("Pillarbox.Protocols.Amqp");
        _environment = new AmqpEnvironment(broker, options, sasl, time, logger, random);
        var period = TimeSpan.FromMilliseconds(TickMs);
        _timer = time.CreateTimer(static self => ((AmqpConnectionHandler)self!).Tick(), this, period, period);
    }

    /// <summary>Connections now.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>From now on connections log in with these; those that are open stay as they are.</summary>
    public void Secure(bool allowAnonymous, SaslServers sasl) => _environment.Secure(allowAnonymous, sasl);

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection) =>
        PeerTransport.ServeAsync(connection, RunAsync);

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    internal async Task RunAsync(PeerInfo peer, System.IO.Pipelines.IDuplexPipe transport)
    {
        var connection = new AmqpConnection(_environment, peer, transport);
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
        long now = _environment.SteadyMs;
        foreach ((_, AmqpConnection connection) in _connections)
        {
            connection.Tick(now);
        }
    }
}
