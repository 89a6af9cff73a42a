using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Xunit;

namespace Pillarbox.Hosting.Tests.Dialing;

/// <summary>What management shows of connections that a node makes: how it logged in, where its connectors stand, and
/// the way to routers at the edge.</summary>
public sealed class OutgoingTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pillarbox-outgoing-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("right", "SCRAM-SHA-512", "bob")]
    [InlineData(null, "ANONYMOUS", "anonymous")]
    public async Task An_outgoing_connection_shows_how_the_node_logged_in(
        string? password, string mechanism, string user)
    {
        await using PillarboxNode other = await OtherAsync(logsIn: password is not null);
        await using PillarboxNode node = await StartAsync("A", RouterMode.Interior, To(other, password));
        using HttpClient http = HttpOf(node);
        JsonNode connection = await UntilAsync(
            http, "connections", one => (string?)one["container"] == "B" ? one : null);
        Assert.Equal(
            ("out", mechanism, user),
            ((string?)connection["direction"], (string?)connection["mechanism"], (string?)connection["user"]));
    }

    [Fact]
    public async Task A_connector_that_is_let_in_says_where_it_is_connected()
    {
        await using PillarboxNode other = await OtherAsync(logsIn: true);
        await using PillarboxNode node = await StartAsync("A", RouterMode.Interior, To(other, "right"));
        using HttpClient http = HttpOf(node);
        JsonNode connector = await UntilAsync(http, "entities/connector", one => StatusOf(one, "SUCCESS"));
        NodeEndpoint place = other.Endpoints.Single(endpoint => endpoint.Listener == "routers");
        Assert.Equal(place.Address, (string?)connector["connectionMsg"]);
    }

    [Fact]
    public async Task A_connector_that_is_not_let_in_says_why()
    {
        await using PillarboxNode other = await OtherAsync(logsIn: true);
        await using PillarboxNode node = await StartAsync("A", RouterMode.Interior, To(other, "wrong"));
        using HttpClient http = HttpOf(node);
        JsonNode connector = await UntilAsync(http, "entities/connector", one =>
        {
            // It is connected, and yet nothing of it is a success.
            Assert.NotEqual("SUCCESS", (string?)one["connectionStatus"]);
            return StatusOf(one, "FAILED");
        });
        Assert.Equal("the server does not accept this user or password", (string?)connector["connectionMsg"]);
    }

    [Fact]
    public async Task A_connector_that_nobody_answers_says_so()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string place = taken.LocalEndpoint.ToString()!;
        taken.Stop();
        await using PillarboxNode node = await StartAsync(
            "A", RouterMode.Interior,
            new ConnectorConfig { Role = ConnectionRole.InterRouter, Addresses = [place] });
        using HttpClient http = HttpOf(node);
        JsonNode connector = await UntilAsync(http, "entities/connector", one => StatusOf(one, "FAILED"));
        Assert.Contains("refused", (string?)connector["connectionMsg"], StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task There_is_a_way_to_a_router_at_the_edge()
    {
        await using PillarboxNode far = await OtherAsync(logsIn: false);
        await using PillarboxNode near = await StartAsync("A", RouterMode.Interior, To(far, null));
        await using PillarboxNode edge = await StartAsync("E", RouterMode.Edge, new ConnectorConfig
        {
            Role = ConnectionRole.Edge,
            Addresses = [far.Endpoints.Single(endpoint => endpoint.Listener == "edges").Address],
        });
        using HttpClient http = HttpOf(near);
        using HttpClient farHttp = HttpOf(far);
        using HttpClient edgeHttp = HttpOf(edge);
        Assert.Equal("A 0, B 1, E 2", await WayAsync(http, "A", "E"));
        Assert.Equal("E 0, B 1, A 2", await WayAsync(http, "E", "A"));
        Assert.Equal("B 0, E 1", await WayAsync(farHttp, "B", "E"));
        Assert.Equal("E 0, B 1", await WayAsync(edgeHttp, "E", "B"));
    }

    private static JsonNode? StatusOf(JsonNode connector, string status) =>
        (string?)connector["connectionStatus"] == status ? connector : null;

    private static async Task<string> WayAsync(HttpClient http, string from, string to)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            using HttpResponseMessage response = await http.GetAsync(
                $"/api/v1/router/path?from={from}&to={to}", patience.Token);
            if (response.IsSuccessStatusCode)
            {
                JsonArray hops = (await response.Content.ReadFromJsonAsync<JsonArray>(patience.Token))!;
                return string.Join(", ", hops.Select(hop => $"{hop!["router"]} {hop["cost"]}"));
            }

            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<JsonNode> UntilAsync(HttpClient http, string what, Func<JsonNode, JsonNode?> found)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            JsonNode page = (await http.GetFromJsonAsync<JsonNode>($"/api/v1/router/{what}", patience.Token))!;
            JsonArray items = page as JsonArray ?? page["items"]!.AsArray();
            if (items.Select(one => found(one!)).FirstOrDefault(one => one is not null) is { } it)
            {
                return it;
            }

            await Task.Delay(20, patience.Token);
        }
    }

    private ConnectorConfig To(PillarboxNode other, string? password) => new()
    {
        Role = ConnectionRole.InterRouter,
        Addresses = [other.Endpoints.Single(endpoint => endpoint.Listener == "routers").Address],
        User = password is null ? null : "bob",
        Password = password is null ? null : new Secret(System.Text.Encoding.UTF8.GetBytes(password)),
    };

    private static HttpClient HttpOf(PillarboxNode node) => new()
    {
        BaseAddress = new Uri(node.Endpoints.Single(endpoint => endpoint.Listener == "http").Url),
    };

    private Task<PillarboxNode> OtherAsync(bool logsIn)
    {
        string? users = logsIn ? Path.Combine(_directory, "users.json") : null;
        if (users is not null)
        {
            using UserStore store = NodeUsers.Open(
                new PillarboxConfig { Security = new SecuritySection { UsersFile = users } });
            using var password = new Secret("right"u8);
            store.Add("bob", password, ["admin"]);
        }

        return StartAsync("B", RouterMode.Interior, null, new SecuritySection { UsersFile = users });
    }

    private static Task<PillarboxNode> StartAsync(
        string id, RouterMode mode, ConnectorConfig? connector, SecuritySection? security = null)
    {
        var listeners = new Dictionary<string, ListenerConfig>
        {
            ["http"] = new ListenerConfig { Addresses = ["127.0.0.1:0"] },
        };
        if (connector is null)
        {
            listeners["routers"] = ListenerOf(ConnectionRole.InterRouter);
            listeners["edges"] = ListenerOf(ConnectionRole.Edge);
        }

        return PillarboxNode.StartAsync(
            new PillarboxConfig
            {
                DataDirectory = PillarboxConfig.InMemory,
                Listeners = listeners,
                Security = security ?? new SecuritySection(),
                Router = new RouterSection
                {
                    Id = id,
                    Mode = mode,
                    Connectors = connector is null ? new Dictionary<string, ConnectorConfig>()
                        : new Dictionary<string, ConnectorConfig> { ["out"] = connector },
                },
            },
            new NodeSeams());
    }

    private static ListenerConfig ListenerOf(ConnectionRole role) => new()
    {
        Protocol = ListenerProtocol.Amqp,
        Role = role,
        Addresses = ["127.0.0.1:0"],
    };
}
