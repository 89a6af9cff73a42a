using System.Net;
using System.Net.Sockets;
using System.Text;
using Pillarbox.Transport;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>
/// Between programs of one machine nothing is paced. Where the system's own choice paces, as BBR does, these fail
/// without it; elsewhere they show that a socket's own choice is left as it was.
/// </summary>
public sealed class LoopbackPacingTests
{
    private const int Tcp = 6;
    private const int CongestionControl = 13;

    [Fact]
    public void What_a_socket_of_loopback_accepts_was_never_paced()
    {
        using Socket listener = LoopbackPacing.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket client = Connect(listener);
        using Socket accepted = listener.Accept();

        Assert.NotEqual("bbr", NameOf(listener));
        Assert.NotEqual("bbr", NameOf(accepted));
    }

    [Fact]
    public void A_socket_for_everyone_is_as_the_system_made_it_and_its_connections_of_loopback_are_not_paced()
    {
        using Socket untouched = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using Socket listener = LoopbackPacing.Bind(new IPEndPoint(IPAddress.Any, 0));
        listener.Listen();
        using Socket client = Connect(listener);
        using Socket accepted = listener.Accept();
        LoopbackPacing.Remove(accepted);

        Assert.Equal(NameOf(untouched), NameOf(listener));
        Assert.NotEqual("bbr", NameOf(accepted));
    }

    [Fact]
    public void A_choice_that_does_not_pace_stays()
    {
        using Socket listener = LoopbackPacing.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket client = Connect(listener);
        string before = NameOf(listener);

        client.SetRawSocketOption(Tcp, CongestionControl, Encoding.ASCII.GetBytes(before));
        LoopbackPacing.Remove(client);

        Assert.Equal(before, NameOf(client));
    }

    [Fact]
    public void A_socket_that_is_closed_already_or_of_this_machine_alone_is_no_error()
    {
        var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Dispose();
        using var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        Assert.Null(Record.Exception(() => LoopbackPacing.Remove(closed)));
        Assert.Null(Record.Exception(() => LoopbackPacing.Remove(local)));
    }

    private static Socket Connect(Socket listener)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port);
        return client;
    }

    private static string NameOf(Socket socket)
    {
        byte[] name = new byte[16];
        int length = socket.GetRawSocketOption(Tcp, CongestionControl, name);
        return Encoding.ASCII.GetString(name, 0, length).TrimEnd('\0');
    }
}
