using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Pillarbox.Hosting.Tests;

public sealed class SystemdNotifierTests
{
    [Fact]
    public void States_are_sent_to_the_named_socket()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", path);
        try
        {
            SystemdNotifier.Ready();
            SystemdNotifier.Stopping();
            Assert.Equal("READY=1", Receive(socket));
            Assert.Equal("STOPPING=1", Receive(socket));
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
            File.Delete(path);
        }
    }

    [Fact]
    public void A_missing_socket_does_not_matter()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        SystemdNotifier.Ready();
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
    }

    private static string Receive(Socket socket)
    {
        byte[] buffer = new byte[64];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
