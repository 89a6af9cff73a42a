using System.Collections.Concurrent;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp;

/// <summary>The plug of AMQP 1.0 on Kestrel: one instance serves all AMQP listeners of a node. Thread-safe.</summary>
public sealed class AmqpConnectionHandler : ConnectionHandler, IDisposable
{
    /// <summary>How often deadlines are looked at, in milliseconds: timeouts are late by at most this.</summary>
    public const int TickMs = 250;

    /// <summary>How often links look for deliveries that are unsettled for long, in milliseconds.</summary>
    public const int InspectEveryMs = 30_000;

    private readonly AmqpEnvironment _environment;
    private readonly ConcurrentDictionary<long, AmqpConnection> _connections = new();
    private readonly ITimer _timer;
    private BrokerPort? _broker;
    private long _lastConnection;
    private long _inspectAtMs;

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
    public void Dispose()
    {
        _timer.Dispose();
        _broker?.Dispose();
    }

    /// <summary>The node is in a network; said before the first connection.</summary>
    public void Join(INetwork network)
    {
        _environment.Network = network;
        _broker = new BrokerPort(_environment);
    }

    /// <summary>Who may connect to the router, and what for; said before the first connection.</summary>
    public void Police(PolicyEngine policy) => _environment.Policy = policy;

    /// <summary>The connections, and the links through the network, at this moment. Any thread.</summary>
    public TrafficFacts Describe() => new(
        [.. _connections.OrderBy(c => c.Key).Select(c => c.Value.Describe())],
        _environment.RoutedLinks.Describe(_environment.UnixMs))
    {
        Totals = _environment.RoutedLinks.Totals(),
    };

    /// <summary>Asks a connection to close. False: there is none of this <see cref="ConnectionFacts.Id"/>.</summary>
    public bool TryClose(long connection)
    {
        bool isThere = _connections.TryGetValue(connection, out AmqpConnection? found);
        found?.AskToClose();
        return isThere;
    }

    /// <summary>Serves the connections of a listener whose peers are something else than clients.</summary>
    public ConnectionHandler For(ConnectionPlan plan) => new PlannedHandler(this, plan);

    /// <summary>
    /// Runs a connection that the node has made, until it ends: logs in, opens, begins the links that its role has.
    /// True: it was opened. Throws when the transport fails or the login does not come to an end.
    /// </summary>
    public async Task<ConnectionEnd> InitiateAsync(
        ConnectionContext connection, ConnectionPlan plan, SaslCredentials credentials,
        CancellationToken cancellation)
    {
        ConnectionEnd end = default;
        await PeerTransport.ServeAsync(connection, async (peer, transport) =>
            end = await InitiateAsync(peer, transport, plan, credentials, cancellation));
        return end;
    }

    internal Task RunAsync(PeerInfo peer, IDuplexPipe transport) => RunAsync(peer, transport, ConnectionPlan.Client);

    private async Task<ConnectionEnd> InitiateAsync(
        PeerInfo peer, IDuplexPipe transport, ConnectionPlan plan, SaslCredentials credentials,
        CancellationToken cancellation)
    {
        var options = new ClientOptions
        {
            ContainerId = _environment.Network?.NodeId ?? _environment.Options.ContainerId,
            Hostname = plan.Hostname,
            Credentials = credentials,
            Random = _environment.Random,
            Mechanisms = plan.Limits?.Mechanisms ?? [],
        };
        InitiatedLogin login = await LogInAsync(transport, options, cancellation);
        if (login.Refusal is { } refusal)
        {
            await transport.Input.CompleteAsync();
            await transport.Output.CompleteAsync();
            return new ConnectionEnd(WasOpened: false, refusal.Description ?? refusal.Condition);
        }

        AmqpConnection run = await RunAsync(peer, transport, plan, login);
        string reason = run.EndError is { } error ? $"{error.Condition} {error.Description}".TrimEnd()
            : run.WasOpened ? "the connection was lost" : "the peer did not open";
        return new ConnectionEnd(run.WasOpened, reason) { Failover = run.Failover };
    }

    private async Task<InitiatedLogin> LogInAsync(
        IDuplexPipe transport, ClientOptions options, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(
            TimeSpan.FromMilliseconds(_environment.Options.HandshakeTimeoutMs), _environment.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            return await InitiatedConnection.LogInAsync(transport, options, either.Token);
        }
        catch
        {
            await transport.Input.CompleteAsync();
            await transport.Output.CompleteAsync();
            throw;
        }
    }

    private async Task<AmqpConnection> RunAsync(
        PeerInfo peer, IDuplexPipe transport, ConnectionPlan plan, InitiatedLogin? login = null)
    {
        long number = Interlocked.Increment(ref _lastConnection);
        var connection = new AmqpConnection(_environment, peer, transport, plan, login) { Number = number };
        _connections.TryAdd(number, connection);
        try
        {
            await connection.RunAsync();
        }
        finally
        {
            _connections.TryRemove(number, out _);
        }

        return connection;
    }

    private void Tick()
    {
        long now = _environment.SteadyMs;
        _broker?.Tick();
        if (now >= _inspectAtMs)
        {
            _inspectAtMs = now + InspectEveryMs;
            _environment.RoutedLinks.Inspect();
        }

        foreach ((_, AmqpConnection connection) in _connections)
        {
            connection.Tick(now);
        }
    }

    /// <summary>A listener's way into the same engine.</summary>
    private sealed class PlannedHandler(AmqpConnectionHandler engine, ConnectionPlan plan) : ConnectionHandler
    {
        public override Task OnConnectedAsync(ConnectionContext connection) => PeerTransport.ServeAsync(
            connection, (peer, transport) => engine.RunAsync(peer, transport, plan));
    }
}

/// <summary>How a connection that the node made has ended.</summary>
/// <param name="WasOpened">Whether both opens were exchanged.</param>
/// <param name="Reason">Why it ended, for people.</param>
public readonly record struct ConnectionEnd(bool WasOpened, string Reason)
{
    /// <summary>Where else the peer is to be reached, as it has said; null: it said nothing.</summary>
    public IReadOnlyList<FailoverServer>? Failover { get; init; }
}
