using System.Collections.Concurrent;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>The plug of OpenWire on Kestrel: one instance serves all OpenWire listeners of a node. Thread-safe.
/// </summary>
public sealed class OpenWireConnectionHandler : ConnectionHandler, IDisposable
{
    /// <summary>How often deadlines are looked at, in milliseconds: timeouts are late by at most this.</summary>
    public const int TickMs = 50;

    private readonly OpenWireEnvironment _environment;
    private readonly ConcurrentDictionary<long, OpenWireConnection> _connections = new();
    private readonly ITimer _timer;
    private long _lastConnection;

    /// <summary>A handler for one broker.</summary>
    public OpenWireConnectionHandler(
        MessageBroker broker, OpenWireOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs)
    {
        ILogger logger = logs.CreateLogger("Pillarbox.Protocols.OpenWire");
        _environment = new OpenWireEnvironment(broker, options, sasl, time, logger);
        var period = TimeSpan.FromMilliseconds(TickMs);
        _timer = time.CreateTimer(static self => ((OpenWireConnectionHandler)self!).Tick(), this, period, period);
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

    internal async Task RunAsync(PeerInfo peer, IDuplexPipe transport)
    {
        var connection = new OpenWireConnection(_environment, peer, transport);
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
        foreach ((_, OpenWireConnection connection) in _connections)
        {
            connection.Tick(now);
        }
    }
}
