using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Hosting.Tests.Listeners;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.Management.Views;
using Xunit;

namespace Pillarbox.Hosting.Tests.Entities;

/// <summary>What is configured of a router comes, changes and goes while it runs, by HTTP.</summary>
public sealed class RouterEntityTests : IAsyncLifetime, ILogRules
{
    private const string Root = "/api/v1/router/entities/";

    private readonly Dictionary<string, RouterConfLog> _logs = [];
    private PillarboxNode _node = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await PillarboxNode.StartAsync(
            new PillarboxConfig
            {
                DataDirectory = PillarboxConfig.InMemory,
                Listeners = new Dictionary<string, ListenerConfig>
                {
                    ["http"] = new ListenerConfig { Addresses = ["127.0.0.1:0"] },
                    ["first"] = new ListenerConfig { Protocol = ListenerProtocol.Amqp, Addresses = ["127.0.0.1:0"] },
                },
                Router = new RouterSection { Id = "A", Mode = RouterMode.Interior },
            },
            new NodeSeams { LogRules = this });
        _http = new HttpClient
        {
            BaseAddress = new Uri(_node.Endpoints.Single(e => e.Protocol == ListenerProtocol.Http).Url),
        };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task A_listener_is_opened_and_closed()
    {
        JsonObject made = await CreateAsync("listener", """{"name":"more","host":"127.0.0.1","port":0}""");
        int port = int.Parse(made["port"]!.ToString());
        Assert.True(await SpeaksAmqpAsync(port));
        Assert.Equal(["first", "more"], await NamesAsync("listener"));

        await RefusedAsync("listener", """{"name":"more","host":"127.0.0.1","port":0}""", HttpStatusCode.BadRequest,
            "already");
        await DeleteAsync("listener", "more");

        Assert.False(await SpeaksAmqpAsync(port));
        Assert.Equal(["first"], await NamesAsync("listener"));
    }

    [Fact]
    public async Task A_closed_listener_lets_its_connections_go_on_and_frees_its_server_with_the_last()
    {
        JsonObject made = await CreateAsync("listener", """{"name":"more","host":"127.0.0.1","port":0}""");
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, int.Parse(made["port"]!.ToString()));
        NetworkStream stream = tcp.GetStream();
        await stream.WriteAsync("AMQP\x03\x01\0\0"u8.ToArray());
        await stream.ReadExactlyAsync(new byte[8]);
        Assert.Equal(1, _node.Listeners!.ServerCount);

        await DeleteAsync("listener", "more");

        // The login still comes to its end.
        byte[] init = [0, 0, 0, 25, 2, 1, 0, 0, 0, 0x53, 0x41, 0xc0, 12, 1, 0xa3, 9, .. "ANONYMOUS"u8.ToArray()];
        await stream.WriteAsync(init);
        byte[] answer = new byte[4096];
        int read = 0;
        while (answer.AsSpan(0, read).IndexOf((ReadOnlySpan<byte>)[0x00, 0x53, 0x44]) < 0)
        {
            int more = await stream.ReadAsync(answer.AsMemory(read));
            Assert.NotEqual(0, more);
            read += more;
        }

        Assert.Equal(1, _node.Listeners!.ServerCount);
        tcp.Close();
        await UntilAsync(() => Task.FromResult(_node.Listeners!.ServerCount == 0));

        await CreateAsync("listener", """{"name":"again","host":"127.0.0.1","port":0}""");
        await DeleteAsync("listener", "again");
        await UntilAsync(() => Task.FromResult(_node.Listeners!.ServerCount == 0));
    }

    [Fact]
    public async Task A_listener_of_the_file_is_closed_too()
    {
        int port = new Uri(_node.Endpoints.Single(e => e.Listener == "first").Url).Port;
        Assert.True(await SpeaksAmqpAsync(port));
        await DeleteAsync("listener", "first");
        Assert.False(await SpeaksAmqpAsync(port));
        Assert.Empty(await NamesAsync("listener"));
    }

    [Fact]
    public async Task A_listener_with_TLS_takes_a_profile_that_was_made_before()
    {
        using var certificates = new Certificates();
        await CreateAsync("sslProfile", new JsonObject
        {
            ["name"] = "mine",
            ["certFile"] = certificates.WritePem("server.pem", certificates.Server, key: true),
        }.ToJsonString());
        JsonObject made = await CreateAsync(
            "listener", """{"name":"secure","host":"127.0.0.1","port":0,"sslProfile":"mine"}""");
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, int.Parse(made["port"]!.ToString()));
        await using var tls = new System.Net.Security.SslStream(
            tcp.GetStream(), false,
            (_, presented, _, _) => presented?.GetCertHashString() == certificates.Server.GetCertHashString());
        await tls.AuthenticateAsClientAsync("localhost");
        Assert.True(tls.IsEncrypted);
        await RefusedAsync(
            "listener", """{"name":"x","host":"127.0.0.1","port":0,"sslProfile":"none"}""", HttpStatusCode.BadRequest,
            "there is no sslProfile 'none'");
    }

    [Fact]
    public async Task A_connector_connects_and_its_removal_ends_the_connection()
    {
        await using PillarboxNode other = await PillarboxNode.StartAsync(
            new PillarboxConfig
            {
                DataDirectory = PillarboxConfig.InMemory,
                Listeners = new Dictionary<string, ListenerConfig>
                {
                    ["routers"] = new ListenerConfig
                    {
                        Protocol = ListenerProtocol.Amqp,
                        Role = ConnectionRole.InterRouter,
                        Addresses = ["127.0.0.1:0"],
                    },
                },
                Router = new RouterSection { Id = "B", Mode = RouterMode.Interior },
            },
            new NodeSeams());
        int port = new Uri(other.Endpoints[0].Url).Port;
        await CreateAsync("connector", new JsonObject
        {
            ["name"] = "out",
            ["host"] = "127.0.0.1",
            ["port"] = port,
            ["role"] = "inter-router",
        }.ToJsonString());
        await UntilAsync(async () => await NodesAsync() == 2);
        JsonObject connector = (await ListAsync("connector")).Single();
        Assert.Equal("SUCCESS", connector["connectionStatus"]!.ToString());

        await DeleteAsync("connector", "out");

        await UntilAsync(async () => await NodesAsync() == 1);
        Assert.Empty(await NamesAsync("connector"));
    }

    [Fact]
    public async Task A_TCP_service_is_made_used_and_taken_away()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        int port = ((IPEndPoint)server.LocalEndpoint).Port;
        await CreateAsync(
            "tcpConnector", $$"""{"name":"server","address":"db","host":"127.0.0.1","port":"{{port}}"}""");
        JsonObject made = await CreateAsync(
            "tcpListener", """{"name":"clients","address":"db","host":"127.0.0.1","port":"0"}""");
        Assert.Equal("up", made["operStatus"]!.ToString());
        int entrance = int.Parse(made["port"]!.ToString());
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, entrance);
            using TcpClient accepted = await server.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("hello"u8.ToArray());
            byte[] got = new byte[5];
            await accepted.GetStream().ReadExactlyAsync(got);
            Assert.Equal("hello"u8.ToArray(), got);
            JsonObject shown = (await ListAsync("tcpListener")).Single();
            Assert.Equal(("1", "5"), (shown["connectionsOpened"]!.ToString(), shown["bytesIn"]!.ToString()));
            await UntilAsync(async () => (await ListAsync("tcpConnector")).Single()["bytesOut"]!.ToString() == "5");
        }

        await RefusedAsync(
            "tcpListener", """{"name":"clients","address":"db","host":"127.0.0.1","port":"0"}""",
            HttpStatusCode.BadRequest, "already");
        await RefusedAsync(
            "tcpConnector", """{"name":"nowhere","address":"db"}""", HttpStatusCode.BadRequest, "port");
        await DeleteAsync("tcpListener", "clients");
        await DeleteAsync("tcpConnector", "server");
        using var late = new TcpClient();
        await Assert.ThrowsAnyAsync<SocketException>(() => late.ConnectAsync(IPAddress.Loopback, entrance));
        Assert.Empty(await NamesAsync("tcpListener"));
        Assert.Empty(await NamesAsync("tcpConnector"));
    }

    [Fact]
    public async Task Figures_have_the_names_that_dashboards_know()
    {
        string figures = await _http.GetStringAsync("/metrics");
        Assert.Contains("\nqdr_routers_total 0\n", figures, StringComparison.Ordinal);
        Assert.Contains("\nqdr_accepted_deliveries_total 0\n", figures, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_come_and_go()
    {
        await CreateAsync("router.config.address",
            """{"name":"all","prefix":"all","distribution":"multicast","priority":7}""");
        JsonObject rule = (await ListAsync("router.config.address")).Single();
        Assert.Equal(("all", "multicast", "7"),
            (rule["prefix"]!.ToString(), rule["distribution"]!.ToString(), rule["priority"]!.ToString()));
        Assert.Null(rule["pattern"]);
        await RefusedAsync("router.config.address", """{"prefix":"all"}""", HttpStatusCode.BadRequest, "already");
        await RefusedAsync(
            "router.config.address", """{"prefix":"b","priority":10}""", HttpStatusCode.BadRequest, "from 0 to 9");
        await DeleteAsync("router.config.address", "all");
        Assert.Empty(await NamesAsync("router.config.address"));
    }

    [Fact]
    public async Task Virtual_hosts_are_made_changed_and_removed()
    {
        await CreateAsync("vhost",
            """{"hostname":"shop","maxConnections":5,"groups":{"$default":{"remoteHosts":"*","sources":"a, b"}}}""");
        using HttpResponseMessage changed = await _http.PatchAsync(
            $"{Root}vhost/shop", Json("""{"maxConnectionsPerUser":2}"""));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        JsonObject vhost = (await ListAsync("vhost")).Single();
        Assert.Equal(("5", "2"), (vhost["maxConnections"]!.ToString(), vhost["maxConnectionsPerUser"]!.ToString()));
        Assert.Equal("a, b", vhost["groups"]!["$default"]!["sources"]!.ToString());
        await RefusedAsync(
            "vhost", """{"hostname":"x","groups":{"g":{"remoteHosts":"1.1.1.1-0.0.0.0"}}}""",
            HttpStatusCode.BadRequest, "1.1.1.1-0.0.0.0");
        await RefusedAsync(
            "vhost", """{"hostname":"x","groups":{"g":{"maxSender":1}}}""", HttpStatusCode.BadRequest, "maxSenders");
        await RefusedAsync(
            "vhost", """{"hostname":"x","allowUnknownUser":true,"groups":{}}""", HttpStatusCode.BadRequest, "$default");
        await RefusedAsync(
            "vhost", """{"hostname":"x","groups":{"g":{"sources":"a","sourcePattern":"b"}}}""",
            HttpStatusCode.BadRequest, "patterns");
        await RefusedAsync(
            "vhost", """{"hostname":"x","aliases":"shop"}""", HttpStatusCode.BadRequest, "'shop' is there twice");
        Assert.Equal("shop", (await ListAsync("vhostStats")).Single()["hostname"]!.ToString());
        await DeleteAsync("vhost", "shop");
        Assert.Empty(await NamesAsync("vhost"));
    }

    [Fact]
    public async Task Lines_of_the_log_are_counted_by_module_and_level()
    {
        JsonObject[] modules = await ListAsync("logStats");
        JsonObject counted = modules.Single(module => module["name"]!.ToString() == "logStats/ROUTER_LS");
        Assert.Equal(("7", "0"), (counted["warningCount"]!.ToString(), counted["infoCount"]!.ToString()));
        Assert.Equal(RouterConfLog.Modules.Count, modules.Length);
    }

    [Fact]
    public async Task What_is_logged_is_changed()
    {
        using HttpResponseMessage changed = await _http.PatchAsync(
            $"{Root}log/{Uri.EscapeDataString("log/ROUTER")}", Json("""{"enable":"debug+"}"""));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.Contains(RouterLogLevel.Debug, _logs["ROUTER"].Enabled!);
        Assert.DoesNotContain(RouterLogLevel.Trace, _logs["ROUTER"].Enabled!);
        using HttpResponseMessage wrong = await _http.PatchAsync(
            $"{Root}log/{Uri.EscapeDataString("log/ROUTER")}", Json("""{"enable":"loud"}"""));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task What_nobody_has_is_not_found_and_what_cannot_be_made_is_refused()
    {
        using HttpResponseMessage gone = await _http.DeleteAsync($"{Root}listener/nothing");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        using HttpResponseMessage unknown = await _http.GetAsync($"{Root}nonsense");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        await RefusedAsync("policy", "{}", HttpStatusCode.Conflict, "not implemented");
        await RefusedAsync("listener", """{"port":"nine"}""", HttpStatusCode.BadRequest, "'port'");
    }

    RouterConfLog? ILogRules.RuleOf(string module) => _logs.GetValueOrDefault(module);

    void ILogRules.Set(RouterConfLog rule) => _logs[rule.Module] = rule;

    IReadOnlyList<LogLine> ILogRules.Latest => [new LogLine(1, "SERVER", "notice", "Listening")];

    long ILogRules.CountOf(string module, RouterLogLevel level) =>
        module == "ROUTER_LS" && level == RouterLogLevel.Warning ? 7 : 0;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task<JsonObject> CreateAsync(string type, string body)
    {
        using HttpResponseMessage response = await _http.PostAsync(Root + type, Json(body));
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Created, text);
        return JsonNode.Parse(text)!.AsObject();
    }

    private async Task RefusedAsync(string type, string body, HttpStatusCode status, string words)
    {
        using HttpResponseMessage response = await _http.PostAsync(Root + type, Json(body));
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{response.StatusCode} {text}");
        Assert.Contains(words, JsonNode.Parse(text)!["detail"]!.ToString(), StringComparison.Ordinal);
    }

    private async Task DeleteAsync(string type, string name)
    {
        using HttpResponseMessage response = await _http.DeleteAsync($"{Root}{type}/{Uri.EscapeDataString(name)}");
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private async Task<JsonObject[]> ListAsync(string type) =>
        [.. (await _http.GetFromJsonAsync<JsonArray>(Root + type))!.Select(entity => entity!.AsObject())];

    private async Task<string[]> NamesAsync(string type) =>
        [.. (await ListAsync(type)).Select(entity => entity["name"]!.ToString()).Order(StringComparer.Ordinal)];

    private async Task<int> NodesAsync()
    {
        JsonObject page = (await _http.GetFromJsonAsync<JsonObject>("/api/v1/router/nodes"))!;
        return page["items"]!.AsArray().Count(node => node!["nextHop"] is not null);
    }

    private static async Task<bool> SpeaksAmqpAsync(int port)
    {
        using var tcp = new TcpClient();
        try
        {
            await tcp.ConnectAsync(IPAddress.Loopback, port);
            byte[] header = [(byte)'A', (byte)'M', (byte)'Q', (byte)'P', 3, 1, 0, 0];
            await tcp.GetStream().WriteAsync(header);
            byte[] answer = new byte[8];
            await tcp.GetStream().ReadExactlyAsync(answer);
            return header.AsSpan().SequenceEqual(answer);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            Assert.False(patience.IsCancellationRequested, "it did not come");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
