using System.Net.Sockets;
using System.Text;

namespace Pillarbox.Hosting;

/// <summary>
/// Tells systemd where the service is in its life (sd_notify(3)): a datagram to the socket that <c>NOTIFY_SOCKET</c>
/// names. Without
/// that variable nothing happens; a failure is not the node's and is ignored.
/// </summary>
public static class SystemdNotifier
{
    private const string Variable = "NOTIFY_SOCKET";

    /// <summary>The node takes connections.</summary>
    public static void Ready() => Send("READY=1");

    /// <summary>The node is going down.</summary>
    public static void Stopping() => Send("STOPPING=1");

    private static void Send(string state)
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(path))
        {
            return;
        }

        try
        {
            // A name that begins with @ is abstract: its first byte is zero.
            string address = path[0] == '@' ? "\0" + path[1..] : path;
#pragma warning disable RS0030 // systemd's own protocol is a datagram on a Unix socket: no connection of a client
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(address));
#pragma warning restore RS0030
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // The service manager is not listening; the node runs all the same.
        }
    }
}
