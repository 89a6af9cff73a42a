using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Tests.Dialing;
using Pillarbox.Model;
using Pillarbox.Router;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>A socket of both families (<c>[::]:port</c>) has its IPv4 peers as <c>::ffff:a.b.c.d</c>. Rules, views and
/// the log have them as everybody writes them.</summary>
public sealed class DualModeTests
{
    // Where there is no IPv6, there are no such sockets.
    private static readonly string Everywhere = Socket.OSSupportsIPv6 ? "[::]:0" : "*:0";

    private static readonly byte[] Header = [.. "AMQP"u8, 0, 1, 0, 0];

    // open { container-id "dual" }
    private static readonly byte[] Open = [0, 0, 0, 20, 2, 0, 0, 0, 0, 0x53, 0x10, 0xC0, 7, 1, 0xA1, 4, .. "dual"u8];

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.0-127.0.0.255", true)]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("::1", false)]
    [InlineData("10.0.0.0/8", false)]
    public async Task Policy_knows_an_IPv4_peer_by_its_own_address(string remoteHost, bool isLetIn)
    {
        await using NodeLogs node = await StartAsync(remoteHost);
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPAddress.Loopback, PortOf(node, "amqp"), TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync((byte[])[.. Header, .. Open], TestContext.Current.CancellationToken);
        if (!isLetIn)
        {
            await ReadUntilAsync(client, "connection disallowed by local policy");
            await node.SaysAsync($"AMQP connection from {client.Client.LocalEndPoint} is denied by policy");
            return;
        }

        await ReadUntilAsync(client, "product");
        ConnectionView shown = Assert.Single(
            await node.Node.Broker.Management.ListConnectionsAsync(Identity.Node), view => view.Protocol == "amqp");
        Assert.Equal(client.Client.LocalEndPoint!.ToString(), shown.RemoteEndPoint);
    }

    [Fact]
    public async Task The_log_names_an_IPv4_peer_whose_bytes_nobody_knows_by_its_own_address()
    {
        await using NodeLogs node = await StartAsync("*");
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPAddress.Loopback, PortOf(node, "all"), TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(new byte[32], TestContext.Current.CancellationToken);
        await node.SaysAsync($"{client.Client.LocalEndPoint}: closed, for its first bytes");
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.0/8", false)]
    public async Task Proxies_are_known_by_their_own_address(string proxies, bool isLetIn)
    {
        await using NodeLogs node = await StartAsync("*", listener => listener with
        {
            ProxyProtocol = true,
            Proxies = [proxies],
        });
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPAddress.Loopback, PortOf(node, "amqp"), TestContext.Current.CancellationToken);
        byte[] first = [.. "PROXY TCP4 192.0.2.7 192.0.2.1 4711 5672\r\n"u8, .. Header, .. Open];
        await client.GetStream().WriteAsync(first, TestContext.Current.CancellationToken);
        if (isLetIn)
        {
            await ReadUntilAsync(client, "product");
        }
        else
        {
            await node.SaysAsync($"{client.Client.LocalEndPoint}: ");
        }

        Assert.DoesNotContain("::ffff", node.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kafka_tells_and_knows_IPv4_places_by_their_own_addresses()
    {
        await using NodeLogs node = await StartAsync("*");
        using var client = new TcpClient(AddressFamily.InterNetwork);
        await client.ConnectAsync(IPAddress.Loopback, PortOf(node, "kafka"), TestContext.Current.CancellationToken);
        // Metadata of version 1, of no topics: the answer names the node.
        byte[] metadata = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xFF, 0xFF, 0, 0, 0, 0];
        await client.GetStream().WriteAsync(metadata, TestContext.Current.CancellationToken);
        string said = await ReadUntilAsync(client, "127.0.0.1");
        Assert.DoesNotContain("::ffff", said, StringComparison.Ordinal);
        byte[] nonsense = new byte[16];
        Array.Fill<byte>(nonsense, 0xFF);
        await client.GetStream().WriteAsync(nonsense, TestContext.Current.CancellationToken);
        await node.SaysAsync($"Kafka peer {client.Client.LocalEndPoint} is refused");
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("10.0.0.0/8", false)]
    public async Task Policy_knows_a_WebSocket_by_its_own_address(string remoteHost, bool isLetIn)
    {
        await using NodeLogs node = await StartAsync(remoteHost);
        using var client = new ClientWebSocket();
        client.Options.AddSubProtocol("amqp");
        await client.ConnectAsync(
            new Uri($"ws://127.0.0.1:{PortOf(node, "http")}/amqp"), TestContext.Current.CancellationToken);
        await client.SendAsync(
            (byte[])[.. Header, .. Open], WebSocketMessageType.Binary, true, TestContext.Current.CancellationToken);
        if (!isLetIn)
        {
            await node.SaysAsync("AMQP connection from 127.0.0.1:");
            await node.SaysAsync("is denied by policy");
            return;
        }

        await ReadUntilAsync(client, "product");
        ConnectionView shown = Assert.Single(
            await node.Node.Broker.Management.ListConnectionsAsync(Identity.Node), view => view.Protocol == "amqp");
        Assert.StartsWith("127.0.0.1:", shown.RemoteEndPoint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_TCP_service_takes_clients_of_both_families()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        await using NodeLogs node = await StartAsync("*", service: server.LocalEndpoint.ToString());
        int port = IPEndPoint.Parse(node.Node.Endpoints.Single(endpoint => endpoint.Service == "echo").Address).Port;
        foreach (IPAddress place in Socket.OSSupportsIPv6
            ? (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback]
            : [IPAddress.Loopback])
        {
            using var client = new TcpClient(place.AddressFamily);
            await client.ConnectAsync(place, port, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
            using TcpClient served = await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await ReadUntilAsync(served, "hello");
        }

        Assert.DoesNotContain("::ffff", node.Text, StringComparison.Ordinal);
    }

    private static Task<NodeLogs> StartAsync(
        string remoteHost, Func<ListenerConfig, ListenerConfig>? change = null, string? service = null)
    {
        var amqp = new ListenerConfig { Addresses = [Everywhere] };
        return NodeLogs.StartAsync(new PillarboxConfig
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["amqp"] = change?.Invoke(amqp) ?? amqp,
                ["all"] = new ListenerConfig { Addresses = [Everywhere] },
                ["kafka"] = new ListenerConfig { Addresses = [Everywhere] },
                ["http"] = new ListenerConfig { Addresses = [Everywhere] },
            },
            // Open to the network, to nobody in particular.
            Security = new SecuritySection
            {
                Required = true,
                AllowAnonymous = true,
                Permissions = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyList<Permission>>>
                {
                    ["#"] = new Dictionary<string, IReadOnlyList<Permission>> { ["anonymous"] = [NodeSecurity.All] },
                },
            },
            Router = new RouterSection
            {
                Id = "A",
                Mode = RouterMode.Interior,
                TcpListeners = OfService(service is null ? null : Everywhere),
                TcpConnectors = OfService(service),
                Policy = new RouterPolicyConfig { EnableVhostPolicy = true },
                Vhosts = new Dictionary<string, VhostConfig>
                {
                    ["$default"] = new VhostConfig
                    {
                        AllowUnknownUser = true,
                        Groups = new Dictionary<string, VhostGroupConfig>
                        {
                            ["$default"] = new VhostGroupConfig { RemoteHosts = [remoteHost] },
                        },
                    },
                },
            },
        });
    }

    private static Dictionary<string, IReadOnlyList<string>> OfService(string? place) =>
        place is null ? [] : new Dictionary<string, IReadOnlyList<string>> { ["echo"] = [place] };

    private static int PortOf(NodeLogs node, string listener) =>
        new Uri(node.Node.Endpoints.Single(endpoint => endpoint.Listener == listener).Url).Port;

    private static Task<string> ReadUntilAsync(TcpClient client, string words) => ReadUntilAsync(
        async (bytes, patience) => await client.GetStream().ReadAsync(bytes, patience), words);

    private static Task<string> ReadUntilAsync(ClientWebSocket client, string words) => ReadUntilAsync(
        async (bytes, patience) => (await client.ReceiveAsync(bytes, patience)).Count, words);

    private static async Task<string> ReadUntilAsync(Func<byte[], CancellationToken, Task<int>> read, string words)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var said = new StringBuilder();
        byte[] bytes = new byte[4096];
        while (!said.ToString().Contains(words, StringComparison.Ordinal))
        {
            int got = await read(bytes, patience.Token);
            Assert.True(got > 0, $"nothing of '{words}' in {said}");
            said.Append(Encoding.Latin1.GetString(bytes, 0, got));
        }

        return said.ToString();
    }
}
