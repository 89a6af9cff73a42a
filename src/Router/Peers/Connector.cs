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
/// <param name="Dial">Makes the connection.</param>
public sealed record ConnectorTarget(string Text, Func<CancellationToken, ValueTask<ConnectionContext>> Dial);

/// <summary>
/// Keeps one connection: connects at once, and again whenever it is lost. Runs until it is cancelled. What goes
/// wrong is
/// written to the log, and tried again.
/// </summary>
public sealed class Connector(
    AmqpConnectionHandler engine, ConnectorOptions options, TimeProvider time, ILogger logger)
{
    private int _target;

    /// <summary>Runs until it is cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            ConnectorTarget target = options.Targets[_target];
            ConnectionEnd end = await TryAsync(target, cancellation);
            if (cancellation.IsCancellationRequested)
            {
                return;
            }

            int delayMs = DelayAfter(end);
            RouterLog.Lost(logger, options.Name, target.Text, end.Reason, delayMs);
            await PauseAsync(delayMs, cancellation);
        }
    }

    private int DelayAfter(in ConnectionEnd end)
    {
        if (options.Targets.Count > 1)
        {
            _target = (_target + 1) % options.Targets.Count;
            return options.NextTargetMs;
        }

        return end.WasOpened ? options.ReopenMs : options.RetryMs;
    }

    private async Task<ConnectionEnd> TryAsync(ConnectorTarget target, CancellationToken cancellation)
    {
        try
        {
            await using ConnectionContext connection = await DialAsync(target, cancellation);
            await using CancellationTokenRegistration cut = cancellation.Register(
                static state => ((ConnectionContext)state!).Abort(), connection);
            RouterLog.Connected(logger, options.Name, target.Text);
            return await engine.InitiateAsync(connection, options.Plan, options.Credentials, cancellation);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
            or ConnectionAbortedException or ConnectionResetException or Protocols.Amqp.Wire.AmqpException)
        {
            return new ConnectionEnd(WasOpened: false, e.Message);
        }
    }

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
