using System.Net;
using System.Net.Sockets;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

public sealed class ListenerTests
{
    [Fact]
    public async Task Raw_and_http_listeners_share_one_server_on_free_ports()
    {
        await using NodeServer server = await Servers.StartAsync(
            ("amqp", new ListenerConfig { Addresses = ["127.0.0.1:0", "[::1]:0"] }),
            ("http", Servers.On("127.0.0.1:0")));
        Assert.Equal(["amqp", "amqp", "http"], server.Endpoints.Select(e => e.ProtocolText));
        Assert.All(server.Endpoints, e => Assert.NotEqual(0, IPEndPoint.Parse(e.Address).Port));
        foreach (NodeEndpoint raw in server.Endpoints.Take(2))
        {
            using TcpClient client = await Servers.ConnectAsync(raw);
            Assert.StartsWith("nobody:", await Servers.EchoAsync(client.GetStream(), "x"), StringComparison.Ordinal);
        }

        using var http = new HttpClient();
        Assert.Equal("hello", await http.GetStringAsync($"{server.Endpoints[2].Url}/hello"));
    }

    [Fact]
    public async Task A_port_in_use_is_said_in_one_line_that_says_what_to_do()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        var error = await Servers.RefusedAsync(("amqp", Servers.On($"127.0.0.1:{port}")));
        Assert.Equal(
            $"listener amqp (127.0.0.1:{port}): the port is in use; stop the other program or choose another port"
                + " (--listen PROTOCOL=HOST:PORT)",
            error.Message);
    }

    [Fact]
    public async Task An_address_of_another_machine_is_said()
    {
        int port = FreePort();
        var error = await Servers.RefusedAsync(("amqp", Servers.On($"192.0.2.1:{port}")));
        Assert.Equal(
            $"listener amqp (192.0.2.1:{port}): this address is not one of this machine's; write one that is",
            error.Message);
    }

    [Fact]
    public async Task An_unknown_host_is_said()
    {
        var error = await Servers.RefusedAsync(("amqp", Servers.On("no-such-host.invalid:1")));
        Assert.Equal(
            "listener amqp: the host 'no-such-host.invalid' is not known; write an address of this machine",
            error.Message);
    }

    [Fact]
    public async Task When_one_listener_cannot_be_bound_none_stays_open()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int taken = ((IPEndPoint)other.LocalEndpoint).Port;
        int free = FreePort();
        await Servers.RefusedAsync(
            ("amqp", Servers.On($"127.0.0.1:{free}")), ("http", Servers.On($"127.0.0.1:{taken}")));
        using var again = new TcpListener(IPAddress.Loopback, free);
        again.Start();
    }

    [Fact]
    public async Task A_unix_socket_can_be_listened_on()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using NodeServer server = await Servers.StartAsync(("amqp", Servers.On($"unix:{path}")));
        Assert.Equal($"unix:{path}", server.Endpoints[0].Address);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await using var stream = new NetworkStream(socket);
        Assert.StartsWith("nobody:", await Servers.EchoAsync(stream, "x"), StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
