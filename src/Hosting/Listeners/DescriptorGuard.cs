#pragma warning disable RS0030 // the network seam: sockets' descriptors are counted
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Pillarbox.Transport;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// Keeps connections from taking the last descriptors that the system lets the process have: what the node still has to
/// open are its files, and an accept without a descriptor left would fail again and again. The system always gives out
/// the lowest free number, so a new connection's own number says how many are taken. Thread-safe.
/// </summary>
/// <param name="limit">Descriptors that the process may have.</param>
/// <param name="time">For how often the operator is told.</param>
/// <param name="logger">Where the operator is told.</param>
internal sealed partial class DescriptorGuard(long limit, TimeProvider time, ILogger logger)
{
    private const int KeptMin = 32;
    private const int KeptMax = 1024;
    private const int KeptPart = 16;
    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(1);

    private const long Never = long.MinValue;

    private long _toldAt = Never;
    private int _refused;

    /// <summary>Descriptors that are kept for files: a part of all, within bounds.</summary>
    public static long KeptOf(long limit) => Math.Clamp(limit / KeptPart, KeptMin, KeptMax);

    /// <summary>
    /// What the system lets this process have; the runtime has raised the soft limit to the hard one when it started.
    /// Where that is not known: as many as there can be.
    /// </summary>
    public static long LimitOfProcess() =>
        OperatingSystem.IsLinux() && ReadLimit(LimitOfDescriptors, out Limits limits) == 0
            && limits.Soft < long.MaxValue
            ? (long)limits.Soft
            : long.MaxValue;

    /// <summary>Says, when a node starts, that fewer connections are possible than its configuration allows.</summary>
    public void Report(int connectionsMax)
    {
        if (limit - KeptOf(limit) < connectionsMax)
        {
            Fewer(logger, limit, limit - KeptOf(limit), connectionsMax);
        }
    }

    /// <summary>Whether a connection that was just accepted may stay.</summary>
    public bool MayStay(ConnectionContext connection) =>
        connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || MayStay(socket);

    /// <inheritdoc cref="MayStay(ConnectionContext)"/>
    public bool MayStay(Socket socket)
    {
        if (socket.SafeHandle.DangerousGetHandle() < limit - KeptOf(limit))
        {
            return true;
        }

        int refused = Interlocked.Increment(ref _refused);
        long now = time.GetTimestamp();
        long told = Volatile.Read(ref _toldAt);
        if ((told == Never || time.GetElapsedTime(told, now) >= TellEvery)
            && Interlocked.CompareExchange(ref _toldAt, now, told) == told)
        {
            Refused(logger, refused, limit);
        }

        return false;
    }

    private const int LimitOfDescriptors = 7; // RLIMIT_NOFILE

    private struct Limits
    {
        public ulong Soft;
        public ulong Hard;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int ReadLimit(int resource, out Limits limits);

    [LoggerMessage(1, LogLevel.Information,
        "The system lets the node have {Limit} files and connections open: it takes at most {Connections} connections, "
        + "though limits.connectionsMax is {ConnectionsMax}")]
    private static partial void Fewer(ILogger logger, long limit, long connections, int connectionsMax);

    [LoggerMessage(2, LogLevel.Warning,
        "{Refused} connections refused so far: of the {Limit} files and connections that the system lets the node have "
        + "open only those are left that it keeps for its files; raise the limit (ulimit -n, systemd: LimitNOFILE)")]
    private static partial void Refused(ILogger logger, int refused, long limit);
}

/// <summary>A listener that closes at once what its guard does not let stay, before it accepts another.</summary>
internal sealed class GuardedListener(IConnectionListener listener, DescriptorGuard guard) : IConnectionListener
{
    public System.Net.EndPoint EndPoint => listener.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            ConnectionContext? connection = await listener.AcceptAsync(cancellationToken);
            if (connection is null || guard.MayStay(connection))
            {
                if (connection?.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                {
                    LoopbackPacing.Remove(socket);
                }

                return connection;
            }

            connection.Abort();
            await connection.DisposeAsync();
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) =>
        listener.UnbindAsync(cancellationToken);

    public ValueTask DisposeAsync() => listener.DisposeAsync();
}
