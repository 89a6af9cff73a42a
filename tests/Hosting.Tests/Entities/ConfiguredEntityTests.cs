using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Hosting.Tests.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Entities;

/// <summary>What a node from a <c>qdrouterd.conf</c> shows of it while it runs.</summary>
public sealed class ConfiguredEntityTests : IAsyncLifetime
{
    private const string Root = "/api/v1/router/entities/";

    private readonly Certificates _certificates = new();
    private PillarboxNode _node = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        string certificate = _certificates.WritePem("server.pem", _certificates.Server, key: true);
        string authority = _certificates.WritePem("ca.pem", _certificates.Authority, key: false);
        string users = Path.Combine(_certificates.Directory, "users.json");
        using (UserStore store = NodeUsers.Open(
            new PillarboxConfig { Security = new SecuritySection { UsersFile = users } }))
        {
            using var password = new Secret("right"u8);
            store.Add("ann", password, ["admin"], [], null);
        }

        RouterConfFile file = RouterConfFile.Parse("conf", Text(certificate, authority), users);
        _node = await PillarboxNode.StartAsync(file.Config, new NodeSeams());
        _http = new HttpClient { BaseAddress = new Uri(_node.Endpoints.Single(e => e.Listener == "web").Url) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String("ann:right"u8));
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        _certificates.Dispose();
    }

    [Fact]
    public async Task A_listener_shows_what_counts_for_its_connections()
    {
        JsonObject narrow = await FindAsync("listener", "narrow");
        Assert.Equal(
            "EXTERNAL ANONYMOUS|2048|5|9|8|3|7|in|ours|logins|shop|true|true|inter-router",
            Words(narrow, "saslMechanisms", "maxFrameSize", "maxSessions", "maxSessionFrames", "idleTimeoutSeconds",
                "initialHandshakeTimeoutSeconds", "linkCapacity", "stripAnnotations", "sslProfile", "saslPlugin",
                "policyVhost", "requireSsl", "multiTenant", "role"));
        Assert.Equal("north", narrow["openProperties"]!["site"]!.ToString());
        JsonObject web = await FindAsync("listener", "web");
        Assert.Equal(
            "true|false|true|false|250|both",
            Words(web, "http", "websockets", "healthz", "requireSsl", "linkCapacity", "stripAnnotations"));
    }

    [Fact]
    public async Task A_connector_shows_what_counts_for_its_connection()
    {
        JsonObject west = await FindAsync("connector", "west");
        Assert.Equal(
            "ours|PLAIN|me|4096|3|0|11|both|false",
            Words(west, "sslProfile", "saslMechanisms", "saslUsername", "maxFrameSize", "maxSessions",
                "idleTimeoutSeconds", "linkCapacity", "stripAnnotations", "verifyHostname"));
        Assert.Null(west["saslPassword"]);
    }

    [Fact]
    public async Task Profiles_and_login_services_of_the_file_are_shown_and_can_be_named()
    {
        JsonObject profile = await FindAsync("sslProfile", "ours");
        Assert.Equal("no", Words(profile, "uidFormat"));
        Assert.Null((await FindAsync("sslProfile", "locked"))["password"]);
        Assert.Equal("realm.example", Words(await FindAsync("authServicePlugin", "logins"), "realm"));
        using HttpResponseMessage made = await _http.PostAsync(Root + "listener", Json(
            """{"name":"more","host":"127.0.0.1","port":"0","sslProfile":"ours","saslPlugin":"logins"}"""));
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
        using HttpResponseMessage refused = await _http.PostAsync(
            Root + "listener", Json("""{"name":"x","host":"127.0.0.1","port":"0","saslPlugin":"none"}"""));
        Assert.Contains("there is no authServicePlugin", await refused.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Things_are_called_as_the_file_calls_them()
    {
        JsonObject news = await FindAsync("router.config.address", "news");
        Assert.Equal("news", Words(news, "prefix"));
        Assert.Null(news["pattern"]);
        Assert.Equal("db", Words(await FindAsync("tcpListener", "db-in"), "address"));
        using HttpResponseMessage gone = await _http.DeleteAsync($"{Root}tcpListener/db-in");
        Assert.True(gone.IsSuccessStatusCode, await gone.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Who_need_not_log_in_looks_and_changes_nothing()
    {
        const string Conf =
            """
            listener {
                name: web
                host: 127.0.0.1
                port: 0
                http: yes
                authenticatePeer: no
            }
            listener {
                name: asks
                host: 127.0.0.1
                port: 0
                http: yes
                authenticatePeer: yes
            }
            """;
        await using PillarboxNode node = await PillarboxNode.StartAsync(
            RouterConfFile.Parse("conf", Conf).Config, new NodeSeams());
        using var web = new HttpClient { BaseAddress = new Uri(node.Endpoints.Single(e => e.Listener == "web").Url) };
        Assert.Contains("qdr_", await web.GetStringAsync("/metrics"), StringComparison.Ordinal);
        Assert.Equal(200, (int)(await web.GetAsync(Root + "listener")).StatusCode);
        using HttpResponseMessage refused = await web.PostAsync(Root + "listener", Json("""{"name":"x"}"""));
        Assert.Equal(401, (int)refused.StatusCode);
        using var asks = new HttpClient { BaseAddress = new Uri(node.Endpoints.Single(e => e.Listener == "asks").Url) };
        Assert.Equal(401, (int)(await asks.GetAsync("/metrics")).StatusCode);
    }

    private const string Others = """
        connector {
            name: west
            host: 127.0.0.1
            port: 1
            sslProfile: ours
            saslMechanisms: PLAIN
            saslUsername: me
            saslPassword: literal:secret
            maxFrameSize: 4096
            maxSessions: 3
            idleTimeoutSeconds: 0
            linkCapacity: 11
            verifyHostname: no
        }
        address {
            name: news
            prefix: news
        }
        tcpListener {
            name: db-in
            host: 127.0.0.1
            port: 0
            address: db
        }
        """;

    private static string Text(string certificate, string authority) => $$"""
        router {
            mode: interior
            id: A
        }
        sslProfile {
            name: ours
            certFile: {{certificate}}
            caCertFile: {{authority}}
            uidFormat: no
        }
        sslProfile {
            name: locked
            certFile: unused.pem
            password: literal:secret
        }
        authServicePlugin {
            name: logins
            host: 127.0.0.1
            port: 1
            realm: realm.example
        }
        listener {
            name: web
            host: 127.0.0.1
            port: 0
            http: yes
            websockets: no
        }
        listener {
            name: narrow
            host: 127.0.0.1
            port: 0
            role: inter-router
            sslProfile: ours
            saslPlugin: logins
            saslMechanisms: EXTERNAL ANONYMOUS
            maxFrameSize: 2048
            maxSessions: 5
            maxSessionFrames: 9
            idleTimeoutSeconds: 8
            initialHandshakeTimeoutSeconds: 3
            linkCapacity: 7
            stripAnnotations: in
            policyVhost: shop
            multiTenant: yes
            openProperties: {
                "site": "north"
            }
        }
        {{Others}}
        """;

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static string Words(JsonObject entity, params string[] attributes) =>
        string.Join('|', attributes.Select(name => entity[name]?.ToString() ?? ""));

    private async Task<JsonObject> FindAsync(string type, string name)
    {
        JsonArray all = (await _http.GetFromJsonAsync<JsonArray>(Root + type))!;
        return Assert.Single(all, entity => entity!["name"]!.ToString() == name)!.AsObject();
    }
}
