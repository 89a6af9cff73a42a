using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Pillarbox.Transport;

/// <summary>From a connection of Kestrel to what a protocol's loop needs of it. Any thread.</summary>
public static class PeerTransport
{
    /// <summary>
    /// Lets <paramref name="run"/> serve a connection until it returns, having completed both pipes. A pipe over TLS is
    /// bridged, so that the loop may write while a flush is pending and cancel its own reads.
    /// </summary>
    public static async Task ServeAsync(ConnectionContext connection, Func<PeerInfo, IDuplexPipe, Task> run)
    {
        PeerInfo peer = Describe(connection);
        if (!peer.IsTls)
        {
            await run(peer, connection.Transport);
            return;
        }

        await using var bridge = new PipeBridge(connection.Transport);
        await run(peer, bridge);
    }

    /// <summary>A connection's pipes; without TLS, the output is an <see cref="IDirectOutput"/> by the
    /// socket.</summary>
    public static IDuplexPipe Direct(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket
            || connection.Features.Get<ITlsHandshakeFeature>() is not null
            || connection.Features.Get<ITlsConnectionFeature>() is not null)
        {
            return connection.Transport;
        }

        MemoryPool<byte> pool = connection.Features.Get<IMemoryPoolFeature>()?.MemoryPool ?? MemoryPool<byte>.Shared;
        return new DuplexPipe(connection.Transport.Input, new SocketOutput(socket, connection.Transport.Output, pool));
    }

    /// <summary>What the transport knows of the peer.</summary>
    internal static PeerInfo Describe(ConnectionContext connection)
    {
        ITlsConnectionFeature? tls = connection.Features.Get<ITlsConnectionFeature>();
        ITlsHandshakeFeature? handshake = connection.Features.Get<ITlsHandshakeFeature>();
        EndPoint? remote = Plain(connection.RemoteEndPoint);
        return new PeerInfo
        {
            RemoteEndPoint = TextOf(remote),
            IsTls = handshake is not null || tls is not null,
            Tls = handshake is not null
                ? TlsFacts.Of(handshake, connection.Features.Get<ISslStreamFeature>())
                : connection.Features.Get<TlsFacts>(),
            IsLoopback = remote is not IPEndPoint { Address: var address }
                || IPAddress.IsLoopback(address),
            ClientCertificate = tls?.ClientCertificate,
        };
    }

    /// <summary>A network address for people and rules; empty: none. A socket of both families has addresses of the
    /// old one within the new one, which nobody writes so.</summary>
    public static string TextOf(EndPoint? place) => Plain(place)?.ToString() ?? "";

    /// <summary>The same as an address.</summary>
    public static EndPoint? Plain(EndPoint? place) =>
        place is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
            ? new IPEndPoint(Plain(mapped.Address), mapped.Port)
            : place;

    /// <summary>An address without its port.</summary>
    public static IPAddress Plain(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
