using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Pillarbox.Transport;

namespace Pillarbox.Hosting.Listeners.Proxies;

/// <summary>
/// Takes the PROXY header off every connection of a listener that is configured for it, so that the peer's address is
/// the client's. A connection without one, or from elsewhere than the named proxies, is let go: on such a listener
/// nobody else has anything to say. Thread-safe.
/// </summary>
internal sealed partial class ProxyGate(
    IReadOnlyList<IPNetwork> proxies, TimeSpan timeout, TimeProvider time, ILogger logger)
{
    /// <summary>Serves a connection.</summary>
    public async Task OnConnectedAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (!IsProxy(connection.RemoteEndPoint) || await ReadAsync(connection) is not { } header)
        {
            Refused(logger, PeerTransport.TextOf(connection.RemoteEndPoint));
            connection.Abort();
            return;
        }

        connection.RemoteEndPoint = header.Source ?? connection.RemoteEndPoint;
        connection.LocalEndPoint = header.Destination ?? connection.LocalEndPoint;
        await next(connection);
    }

    private bool IsProxy(EndPoint? peer) =>
        proxies.Count == 0
        || peer is not IPEndPoint { Address: var address }
        || proxies.Any(p => p.Contains(address) || (address.IsIPv4MappedToIPv6 && p.Contains(address.MapToIPv4())));

    private async Task<ProxyHeader?> ReadAsync(ConnectionContext connection)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        PipeReader input = connection.Transport.Input;
        try
        {
            while (true)
            {
                ReadResult read = await input.ReadAsync(deadline.Token);
                switch (Look(read.Buffer, out ProxyHeader header))
                {
                    case ProxyMatch.Yes:
                        input.AdvanceTo(read.Buffer.GetPosition(header.Bytes));
                        return header;
                    case ProxyMatch.NotYet when !read.IsCompleted:
                        input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                        break;
                    default:
                        input.AdvanceTo(read.Buffer.End);
                        return null;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Too slow, or gone: either way there is no header.
            return null;
        }
    }

    private static ProxyMatch Look(in ReadOnlySequence<byte> buffer, out ProxyHeader header)
    {
        int length = (int)Math.Min(buffer.Length, ProxyHeader.BytesMax);
        return buffer.FirstSpan.Length >= length
            ? ProxyHeader.TryRead(buffer.FirstSpan[..length], out header)
            : ProxyHeader.TryRead(buffer.Slice(0, length).ToArray(), out header);
    }

    [LoggerMessage(1, LogLevel.Warning,
        "{Peer}: closed, for it is no known proxy or sent no good PROXY header in time")]
    private static partial void Refused(ILogger logger, string? peer);
}
