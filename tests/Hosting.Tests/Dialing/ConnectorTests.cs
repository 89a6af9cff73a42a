using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Tests.Listeners;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Xunit;

namespace Pillarbox.Hosting.Tests.Dialing;

/// <summary>Two nodes of a network, and each way from one to the other: TLS, WebSocket, a proxy, several places.</summary>
public sealed class ConnectorTests : IDisposable
{
    private readonly Certificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Theory]
    [InlineData("tls", false)]
    [InlineData("tls", true)]
    [InlineData("wss", false)]
    [InlineData("wss", true)]
    [InlineData("ws", false)]
    [InlineData("plain", true)]
    public async Task A_node_joins_over_each_transport_and_through_a_proxy(string transport, bool throughProxy)
    {
        await using PillarboxNode listening = await ListenAsync(transport, ClientCertificateMode.None);
        using var proxy = new ConnectProxy("ann:a word");
        string password = _certificates.WriteText("proxy-password", "a word\n");
        await using var peer = await PeerAsync(new ConnectorConfig
        {
            Addresses = [PlaceOf(listening, transport)],
            Tls = transport is "tls" or "wss" ? Trusting("authority.pem") : null,
            Proxy = !throughProxy ? null
                : new ConnectorProxyConfig { Url = $"http://{proxy.Address}", User = "ann", PasswordFile = password },
        });

        await peer.SaysAsync("NeighborUp A");
        Assert.Equal(throughProxy, proxy.Tunnels > 0);
    }

    [Theory]
    [InlineData("tls")]
    [InlineData("wss")]
    public async Task Both_ends_show_certificates_and_the_connector_logs_in_by_its_own(string transport)
    {
        await using PillarboxNode listening = await ListenAsync(transport, ClientCertificateMode.Require);
        await using var peer = await PeerAsync(new ConnectorConfig
        {
            Addresses = [PlaceOf(listening, transport)],
            Tls = Trusting("authority.pem") with
            {
                Certificate = _certificates.WritePem("client.pem", _certificates.Client, key: true),
            },
        });

        await peer.SaysAsync("NeighborUp A");
    }

    [Theory]
    [InlineData("tls")]
    [InlineData("wss")]
    public async Task A_certificate_of_another_authority_is_refused_with_the_reason(string transport)
    {
        await using PillarboxNode listening = await ListenAsync(transport, ClientCertificateMode.None);
        using var stranger = Certificates.MakeStranger();
        string other = _certificates.WritePem("other.pem", stranger, key: false);
        await using var peer = await PeerAsync(new ConnectorConfig
        {
            Addresses = [PlaceOf(listening, transport)],
            Tls = new ConnectorTlsConfig { Authorities = other },
        });

        await peer.SaysAsync($"its certificate (CN=localhost) does not come from the authorities in {other}");
        Assert.DoesNotContain("NeighborUp", peer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_name_in_the_certificate_counts_unless_it_is_told_not_to(bool verifies)
    {
        using var other = new Certificates();
        _certificates.WritePem("authority.pem", _certificates.Authority, key: false);
        await using PillarboxNode listening = await StartAsync("A", ListenerOf("tls", new TlsConfig
        {
            Certificate = _certificates.WritePem("alice.pem", _certificates.Client, key: true),
        }), RouterMode.Interior);
        // The certificate is for alice and 127.0.0.1, and not for localhost.
        string place = PlaceOf(listening, "tls").Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        await using var peer = await PeerAsync(new ConnectorConfig
        {
            Addresses = [place],
            Tls = Trusting("authority.pem") with { VerifyName = verifies },
        });

        await peer.SaysAsync(verifies ? "its certificate (CN=alice) is not for 'localhost'" : "NeighborUp A");
    }

    [Theory]
    [InlineData(null, null, "wants a login")]
    [InlineData("ann", "wrong", "does not accept the user 'ann'")]
    public async Task A_proxy_that_gives_no_way_is_named(string? user, string? password, string expected)
    {
        using var proxy = new ConnectProxy("ann:a word");
        await using var peer = await PeerAsync(new ConnectorConfig
        {
            Addresses = ["127.0.0.1:9"],
            Proxy = new ConnectorProxyConfig
            {
                Url = $"http://{proxy.Address}",
                User = user,
                PasswordFile = password is null ? null : _certificates.WriteText("password", password),
            },
        });

        await peer.SaysAsync(expected);
    }

    [Fact]
    public async Task What_is_no_WebSocket_of_AMQP_is_named()
    {
        await using PillarboxNode listening = await ListenAsync("ws", ClientCertificateMode.None);
        string place = PlaceOf(listening, "ws").Replace("/amqp", "/nothing", StringComparison.Ordinal);
        await using var peer = await PeerAsync(new ConnectorConfig { Addresses = [place] });
        await peer.SaysAsync("is no WebSocket of AMQP");
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_is_said_at_the_start()
    {
        StartException refused = await Assert.ThrowsAsync<StartException>(() => PeerAsync(new ConnectorConfig
        {
            Addresses = ["127.0.0.1:9"],
            Tls = new ConnectorTlsConfig { Authorities = "/nowhere.pem" },
        }));
        Assert.Contains("/nowhere.pem", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_places_that_a_peer_names_are_tried_when_it_is_lost()
    {
        await using PillarboxNode second = await ListenAsync("plain", ClientCertificateMode.None, "C");
        PillarboxNode first = await StartAsync("A", ListenerOf("plain", null) with
        {
            FailoverUrls = [$"amqp://{AddressOf(second)}"],
        }, RouterMode.Interior);
        await using var peer = await PeerAsync(new ConnectorConfig { Addresses = [AddressOf(first)] });
        await peer.SaysAsync("NeighborUp A");

        await first.DisposeAsync();

        await peer.SaysAsync("NeighborUp C");
    }

    [Fact]
    public async Task An_edge_goes_to_the_next_place_and_comes_back_when_that_is_lost()
    {
        PillarboxNode first = await StartAsync("A", ListenerOf("plain", null, ConnectionRole.Edge), RouterMode.Interior);
        await using PillarboxNode second =
            await StartAsync("C", ListenerOf("plain", null, ConnectionRole.Edge), RouterMode.Interior);
        await using var edge = await NodeLogs.StartAsync("E", RouterMode.Edge, new ConnectorConfig
        {
            Role = ConnectionRole.Edge,
            Addresses = [AddressOf(first), AddressOf(second)],
        });
        await edge.SaysAsync($"to {AddressOf(first)}: connected");
        await first.DisposeAsync();
        await edge.SaysAsync($"to {AddressOf(second)}: connected");
    }

    private ConnectorTlsConfig Trusting(string name) => new()
    {
        Authorities = _certificates.WritePem(name, _certificates.Authority, key: false),
    };

    private Task<PillarboxNode> ListenAsync(string transport, ClientCertificateMode mode, string id = "A")
    {
        TlsConfig? tls = transport is not ("tls" or "wss") ? null : new TlsConfig
        {
            Certificate = _certificates.WritePem("server.pem", _certificates.Server, key: true),
            ClientCertificates = mode,
            ClientAuthorities = _certificates.WritePem("authority.pem", _certificates.Authority, key: false),
        };
        return StartAsync(id, ListenerOf(transport, tls), RouterMode.Interior);
    }

    private static ListenerConfig ListenerOf(
        string transport, TlsConfig? tls, ConnectionRole role = ConnectionRole.InterRouter) => new()
        {
            Protocol = transport is "ws" or "wss" ? ListenerProtocol.Http : ListenerProtocol.Amqp,
            Role = role,
            Addresses = ["127.0.0.1:0"],
            Tls = tls,
        };

    private static Task<PillarboxNode> StartAsync(string id, ListenerConfig listener, RouterMode mode) =>
        PillarboxNode.StartAsync(
            new PillarboxConfig
            {
                DataDirectory = PillarboxConfig.InMemory,
                Listeners = new Dictionary<string, ListenerConfig> { ["routers"] = listener },
                Router = new RouterSection { Id = id, Mode = mode },
            },
            new NodeSeams());

    private static Task<NodeLogs> PeerAsync(ConnectorConfig connector) => NodeLogs.StartAsync(
        "B", RouterMode.Interior, connector with { Role = ConnectionRole.InterRouter });

    private static string AddressOf(PillarboxNode node) => node.Endpoints[0].Address;

    private static string PlaceOf(PillarboxNode node, string transport)
    {
        // The certificate names localhost and the address.
        string address = AddressOf(node);
        return transport is "ws" or "wss" ? $"{transport}://{address}/amqp" : address;
    }
}
