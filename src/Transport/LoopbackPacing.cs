#pragma warning disable RS0030 // the network seam: how the system spreads what a socket sends
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Pillarbox.Transport;

/// <summary>
/// Takes sockets between programs of one machine out of congestion control that paces. BBR, which many servers have as
/// the system's default, estimates the bandwidth of a path and sends no faster; on loopback there is no path, and what
/// it estimates is how fast the other program happened to read. Any thread.
/// </summary>
public static class LoopbackPacing
{
    private const int Tcp = 6; // IPPROTO_TCP
    private const int CongestionControl = 13; // TCP_CONGESTION
    private const int NameBytes = 16; // TCP_CA_NAME_MAX

    // Reno is in every kernel, and any user may choose it. It holds back only after a loss, which loopback has not.
    private static ReadOnlySpan<byte> NotPaced => "reno"u8;

    private static ReadOnlySpan<byte> Paced => "bbr"u8;

    /// <summary>
    /// A socket bound as Kestrel binds it, for its transport. On an address of loopback, what it accepts was never
    /// paced, which is better still than <see cref="Remove"/> afterwards. Throws <see cref="SocketException"/>.
    /// </summary>
    public static Socket Bind(EndPoint place)
    {
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(place);
        Remove(socket);
        return socket;
    }

    /// <summary>For a socket that is connected or bound: when its other end can only be on this machine, it is not
    /// paced. Those that a listening socket accepts are as it is.</summary>
    public static void Remove(Socket socket)
    {
        if (!OperatingSystem.IsLinux()
            || socket.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            return;
        }

        try
        {
            var end = (IPEndPoint?)(socket.Connected ? socket.RemoteEndPoint : socket.LocalEndPoint);
            if (end is null || !IPAddress.IsLoopback(end.Address))
            {
                return;
            }

            Span<byte> name = stackalloc byte[NameBytes];
            int length = socket.GetRawSocketOption(Tcp, CongestionControl, name);
            if (name[..length].StartsWith(Paced))
            {
                socket.SetRawSocketOption(Tcp, CongestionControl, NotPaced);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The system has no choice of it, or the peer has gone already: the socket works as it is.
        }
    }
}
