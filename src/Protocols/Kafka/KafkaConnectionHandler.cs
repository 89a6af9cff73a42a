using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// The plug of the Kafka protocol on Kestrel: one instance serves all Kafka listeners of a node. Thread-safe.
/// </summary>
public sealed class KafkaConnectionHandler : ConnectionHandler, IDisposable
{
    /// <summary>How often deadlines are looked at, in milliseconds: timeouts are late by at most this.</summary>
    public const int TickMs = 1000;

    private readonly KafkaEnvironment _environment;
    private readonly ConcurrentDictionary<long, KafkaConnection> _connections = new();
    private readonly ITimer _timer;
    private long _lastConnection;

    /// <summary>A handler for one broker.</summary>
    public KafkaConnectionHandler(
        MessageBroker broker, KafkaOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs)
        : this(broker, options, sasl, time, logs, SystemRandom.Instance)
    {
    }

    internal KafkaConnectionHandler(
        MessageBroker broker, KafkaOptions options, SaslServers sasl, TimeProvider time, ILoggerFactory logs,
        IRandom random)
    {
        ILogger logger = logs.CreateLogger("Pillarbox.Protocols.Kafka");
        _environment = new KafkaEnvironment(broker, options, sasl, time, logger, random);
        var period = TimeSpan.FromMilliseconds(TickMs);
        _timer = time.CreateTimer(static self => ((KafkaConnectionHandler)self!).Tick(), this, period, period);
    }

    /// <summary>Connections now.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>From now on connections log in with these; those that are open stay as they are.</summary>
    public void Secure(bool allowAnonymous, SaslServers sasl) => _environment.Secure(allowAnonymous, sasl);

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        ITlsConnectionFeature? tls = connection.Features.Get<ITlsConnectionFeature>();
        (string host, int port) = Advertised(connection.LocalEndPoint);
        EndPoint? from = PeerTransport.Plain(connection.RemoteEndPoint);
        var peer = new PeerInfo
        {
            RemoteEndPoint = PeerTransport.TextOf(from),
            ClientHost = from is IPEndPoint remote ? $"/{remote.Address}" : "/local",
            Host = host,
            Port = port,
            IsTls = connection.Features.Get<ITlsHandshakeFeature>() is not null || tls is not null,
            IsLoopback = from is not IPEndPoint { Address: var address }
                || IPAddress.IsLoopback(address),
            ClientCertificate = tls?.ClientCertificate,
        };
        return RunAsync(peer, PeerTransport.Direct(connection), () => connection.Abort(), connection.ConnectionClosed);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    internal async Task RunAsync(
        PeerInfo peer, System.IO.Pipelines.IDuplexPipe transport, Action abort, CancellationToken gone)
    {
        using var connection = new KafkaConnection(_environment, peer, transport, abort, gone);
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

    private (string Host, int Port) Advertised(EndPoint? local)
    {
        if (_environment.Options.Advertised is { } written)
        {
            int colon = written.LastIndexOf(':');
            return (written[..colon].Trim('[', ']'), int.Parse(written[(colon + 1)..], CultureInfo.InvariantCulture));
        }

        return local is IPEndPoint { Address: var address, Port: var port }
            ? (PeerTransport.Plain(address).ToString(), port)
            : ("127.0.0.1", 9092);
    }

    private void Tick()
    {
        long now = _environment.SteadyMs;
        foreach ((_, KafkaConnection connection) in _connections)
        {
            connection.Tick(now);
        }
    }
}
