using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Router.Peers;

/// <summary>A connection that the node makes and keeps. Immutable.</summary>
public sealed record ConnectorOptions
{
    /// <summary>Its name, for views and logs.</summary>
    public required string Name { get; init; }

    /// <summary>What is at the other end, and what the way costs.</summary>
    public required ConnectionPlan Plan { get; init; }

    /// <summary>The places to try, in turn.</summary>
    public required IReadOnlyList<ConnectorTarget> Targets { get; init; }

    /// <summary>A place that a peer has named, as one to try; null from it: the node does not connect there. Null: what
    /// peers name is not listened to.</summary>
    public Func<FailoverServer, ConnectorTarget?>? Adopt { get; init; }

    /// <summary>What to log in with.</summary>
    public SaslCredentials Credentials { get; init; } = new();

    /// <summary>Before the next try, when the last one did not come to an open.</summary>
    public int RetryMs { get; init; } = 5000;

    /// <summary>Before the next try, when the last connection was open.</summary>
    public int ReopenMs { get; init; } = 2000;

    /// <summary>How long a place may take to answer.</summary>
    public int ConnectMs { get; init; } = 5000;

    /// <summary>Before the next place, when there are several.</summary>
    public int NextTargetMs { get; init; } = 1000;
}

/// <summary>A place to connect to.</summary>
/// <param name="Text">For people.</param>
/// <param name="Dial">Makes the connection. What goes wrong is an exception whose message says what.</param>
public sealed record ConnectorTarget(string Text, Func<CancellationToken, ValueTask<ConnectionContext>> Dial)
{
    /// <summary>The host that open names there; null: none.</summary>
    public string? Hostname { get; init; }
}

/// <summary>Where a connector stands.</summary>
/// <param name="Status">CONNECTING, SUCCESS or FAILED, as its protocol's peers call it.</param>
/// <param name="Message">Where it is connected, or what went wrong.</param>
/// <param name="Failover">The places that it would try now, in turn.</param>
public sealed record ConnectorState(string Status, string Message, IReadOnlyList<string> Failover);

/// <summary>
/// Keeps one connection: connects at once, and again whenever it is lost; to the next place when it knows several. Runs
/// until it is cancelled. What goes wrong is written to the log, and tried again.
/// </summary>
public sealed class Connector(
    AmqpConnectionHandler engine, ConnectorOptions options, TimeProvider time, ILogger logger)
{
    private readonly FailoverTargets _targets = new(options.Targets, options.Adopt);
    private volatile ConnectorState _state = new("CONNECTING", "", [.. options.Targets.Select(t => t.Text)]);

    /// <summary>Its name.</summary>
    public string Name => options.Name;

    /// <summary>Where it stands. Any thread.</summary>
    public ConnectorState State => _state;

    /// <summary>Runs until it is cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            ConnectorTarget target = _targets.Current;
            ConnectionEnd end = await TryAsync(target, cancellation);
            if (cancellation.IsCancellationRequested)
            {
                return;
            }

            _targets.OnEnd(end.Failover);
            Say("FAILED", end.Reason);
            int delayMs = _targets.Count > 1 ? options.NextTargetMs
                : end.WasOpened ? options.ReopenMs : options.RetryMs;
            RouterLog.Lost(logger, options.Name, target.Text, end.Reason, delayMs);
            await PauseAsync(delayMs, cancellation);
        }
    }

    private async Task<ConnectionEnd> TryAsync(ConnectorTarget target, CancellationToken cancellation)
    {
        Say("CONNECTING", target.Text);
        try
        {
            await using ConnectionContext connection = await DialAsync(target, cancellation);
            await using CancellationTokenRegistration cut = cancellation.Register(
                static state => ((ConnectionContext)state!).Abort(), connection);
            RouterLog.Connected(logger, options.Name, target.Text);
            ConnectionPlan plan = options.Plan with
            {
                Hostname = options.Plan.Hostname ?? target.Hostname,
                Opened = () => Say("SUCCESS", target.Text),
            };
            return await engine.InitiateAsync(connection, plan, options.Credentials, cancellation);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
            or ConnectionAbortedException or ConnectionResetException or DialException
            or Protocols.Amqp.Wire.AmqpException)
        {
            return new ConnectionEnd(WasOpened: false, e.Message);
        }
    }

    private void Say(string status, string message) =>
        _state = new ConnectorState(status, message, _targets.Texts);

    // Over a line that is cut nobody says no.
    private async Task<ConnectionContext> DialAsync(ConnectorTarget target, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.ConnectMs), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        return await target.Dial(either.Token);
    }

    private async Task PauseAsync(int delayMs, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(delayMs), time, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}

/// <summary>The node cannot even try to connect: a file that it needs is not as it should be.</summary>
public sealed class DialException(string message, Exception inner) : Exception(message, inner);
