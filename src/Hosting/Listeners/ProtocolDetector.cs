using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Transport;
using Pillarbox.Transport.Sockets;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// Gives a connection of the listener for all protocols to the one that its first bytes, or its TLS client by ALPN,
/// ask for. The bytes stay unread and the connection itself is handed over: nothing is between it and its protocol
/// afterwards. Thread-safe.
/// </summary>
internal sealed partial class ProtocolDetector(
    IReadOnlyDictionary<ListenerProtocol, ConnectionHandler> handlers, TimeSpan timeout, TimeProvider time,
    ILogger logger)
{
    private readonly ListenerProtocol[] _served = [.. handlers.Keys, ListenerProtocol.Http];

    /// <summary>Serves a connection; HTTP's go to <paramref name="http"/>.</summary>
    public async Task OnConnectedAsync(ConnectionContext connection, ConnectionDelegate http)
    {
        ListenerProtocol? protocol = ByAlpn(connection) ?? await ByBytesAsync(connection);
        if (protocol == ListenerProtocol.Http)
        {
            // What answers to HTTP may take long; this thread waits for sockets.
            connection.Features.Get<IPooledConnectionFeature>()?.UsePool();
            await Task.Yield();
            await http(connection);
        }
        else if (protocol is { } known && handlers.TryGetValue(known, out ConnectionHandler? handler))
        {
            await handler.OnConnectedAsync(connection);
        }
        else
        {
            connection.Abort();
        }
    }

    /// <summary>
    /// What a connection that began with these bytes speaks; null: nothing that is served, or, with
    /// <paramref name="more"/>, not to be told yet. Pure.
    /// </summary>
    public static ListenerProtocol? Detect(
        ReadOnlySpan<byte> first, ReadOnlySpan<ListenerProtocol> served, out bool more)
    {
        more = false;
        foreach (ListenerProtocol protocol in served)
        {
            Recognition found = ProtocolSignatures.Look(protocol, first);
            if (found == Recognition.Yes)
            {
                more = false;
                return protocol;
            }

            more |= found == Recognition.NotYet && first.Length < ProtocolSignatures.BytesMax;
        }

        return null;
    }

    private ListenerProtocol? ByAlpn(ConnectionContext connection)
    {
        SslApplicationProtocol asked =
            connection.Features.Get<ISslStreamFeature>()?.SslStream.NegotiatedApplicationProtocol ?? default;
        if (asked.Protocol.IsEmpty)
        {
            return null;
        }

        foreach (ListenerProtocol protocol in _served)
        {
            if (asked == AlpnNames.Of(protocol))
            {
                return protocol;
            }
        }

        return null;
    }

    private async Task<ListenerProtocol?> ByBytesAsync(ConnectionContext connection)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        try
        {
            while (true)
            {
                ReadResult read = await connection.Transport.Input.ReadAsync(deadline.Token);
                ListenerProtocol? protocol = Detect(read.Buffer, out bool more);
                if (!more || read.IsCompleted)
                {
                    connection.Transport.Input.AdvanceTo(read.Buffer.Start);
                    Report(connection, protocol, read.Buffer.IsEmpty);
                    return protocol;
                }

                connection.Transport.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Silent(logger, PeerTransport.TextOf(connection.RemoteEndPoint));
        }
        catch (Exception e) when (e is IOException or ConnectionAbortedException or ConnectionResetException)
        {
            // The peer left before it said anything.
            Gone(logger, PeerTransport.TextOf(connection.RemoteEndPoint));
        }

        return null;
    }

    private ListenerProtocol? Detect(in ReadOnlySequence<byte> buffer, out bool more)
    {
        Span<byte> first = stackalloc byte[ProtocolSignatures.BytesMax];
        int length = (int)Math.Min(buffer.Length, first.Length);
        buffer.Slice(0, length).CopyTo(first);
        return Detect(first[..length], _served, out more);
    }

    private void Report(ConnectionContext connection, ListenerProtocol? protocol, bool isEmpty)
    {
        if (protocol is null && !isEmpty)
        {
            Unknown(logger, PeerTransport.TextOf(connection.RemoteEndPoint));
        }
    }

    [LoggerMessage(1, LogLevel.Information,
        "{Peer}: closed, for its first bytes are of no protocol that is spoken here")]
    private static partial void Unknown(ILogger logger, string? peer);

    [LoggerMessage(2, LogLevel.Information, "{Peer}: closed, for it did not say in time which protocol it speaks")]
    private static partial void Silent(ILogger logger, string? peer);

    [LoggerMessage(3, LogLevel.Debug, "{Peer}: gone before it spoke")]
    private static partial void Gone(ILogger logger, string? peer);
}
