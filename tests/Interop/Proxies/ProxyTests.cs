using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Tests.Listeners;
using Pillarbox.Interop.Tests.OpenWire;
using Xunit;

namespace Pillarbox.Interop.Tests.Proxies;

/// <summary>
/// Clients of every protocol behind a proxy that speaks the PROXY protocol, on a listener of their own and on that of
/// all protocols, in the clear and with TLS behind the header: the node takes them for who the proxy says they are.
/// </summary>
public sealed class ProxyTests(ProxiedNode proxied) : IClassFixture<ProxiedNode>
{
    public static IEnumerable<TheoryDataRow<string, string, bool, int>> Clients =>
        from protocol in new[] { "amqp", "mqtt", "stomp", "openwire", "kafka", "ws" }
        from isShared in new[] { false, true }
        from isTls in new[] { false, true }
        let listener = isShared ? "all" : protocol == "ws" ? "http" : protocol
        select new TheoryDataRow<string, string, bool, int>(
            protocol, isTls ? listener + "-tls" : listener, isTls, isShared == isTls ? 1 : 2);

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_client_is_who_the_proxy_says(string protocol, string listener, bool isTls, int version)
    {
        ProxyRelay relay = proxied.Relay(listener);
        relay.Version = version;
        // In the clear a password may be shown on this machine only, and whose machine it is the header says.
        relay.Client = IPAddress.Parse(!isTls ? "127.0.0.77" : version == 1 ? "192.0.2.77" : "2001:db8::77");
        using Process client = await StartAsync(protocol, relay, isTls);
        string? line = await client.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(90));
        string output = line == "there" ? "" : await client.StandardError.ReadToEndAsync();
        Assert.True(line == "there", $"{line}\n{output}\n{proxied.Node.Output}");
        IReadOnlyList<string> seen = await proxied.PeersAsync(protocol, $"{protocol}.{relay.Port}");
        Assert.Contains(relay.Client.ToString(), seen);
        client.StandardInput.Close();
        Assert.Equal("ok", (await client.StandardOutput.ReadToEndAsync()).Trim());
        await client.WaitForExitAsync();
    }

    [Theory]
    [InlineData("amqp")]
    [InlineData("mqtt")]
    [InlineData("stomp")]
    [InlineData("kafka")]
    [InlineData("all")]
    public async Task A_password_in_the_clear_is_refused_from_elsewhere_though_the_proxy_is_near(string listener)
    {
        ProxyRelay relay = proxied.Relay(listener);
        relay.Client = IPAddress.Parse("192.0.2.78");
        using Process client = await StartAsync(listener == "all" ? "mqtt" : listener, relay, isTls: false);
        client.StandardInput.Close();
        string output = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        Assert.DoesNotContain("there", output, StringComparison.Ordinal);
        Assert.NotEqual(0, client.ExitCode);
    }

    [Theory]
    [InlineData("http", 1)]
    [InlineData("http-tls", 2)]
    [InlineData("all", 2)]
    [InlineData("all-tls", 1)]
    public async Task Http_knows_the_client_too(string listener, int version)
    {
        ProxyRelay relay = proxied.Relay(listener);
        relay.Version = version;
        relay.Client = IPAddress.Parse($"192.0.2.{100 + version}");
        bool isTls = listener.EndsWith("-tls", StringComparison.Ordinal);
        using HttpClient http = proxied.Http();
        string scheme = isTls ? "https" : "http";
        var node = new Uri($"{scheme}://localhost:{relay.Port}/api/v1/node");
        using HttpResponseMessage answer = await http.GetAsync(node);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", $"https://{listener}.example");
        socket.Options.AddSubProtocol("mqtt");
        var place = new Uri($"{(isTls ? "wss" : "ws")}://localhost:{relay.Port}/mqtt");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(place, http, default));
        string refusal = $"{relay.Client}: WebSocket refused, for its page comes from https://{listener}.example";
        await proxied.Node.AssertWritesAsync(refusal);
    }

    public static IEnumerable<TheoryDataRow<string, string>> Broken =>
        from listener in ProxiedNode.Listeners
        from bytes in new[]
        {
            "AMQP\0\u0001\0\0", "\u0010\u000c\0\u0004MQTT\u0004\u0002\0\0\0\0",
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.2 1234\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "PROXY TCP6 192.0.2.1 198.51.100.2 1234 5672\r\n", "PROXY " + new string('x', 200),
            "\r\n\r\n\0\r\nQUIT\n\u0031\u0011\0\0", "\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u0004abcd",
            "\r\n\r\n\0\r\nQUIT\n\u0021\u0011\u00ff\u00ff",
        }
        select new TheoryDataRow<string, string>(listener, bytes);

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Without_a_good_header_nothing_is_answered(string listener, string bytes)
    {
        using var answer = new MemoryStream();
        using var client = new TcpClient();
        await client.ConnectAsync(proxied.Relay(listener).Target);
        try
        {
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes));
            await client.GetStream().CopyToAsync(answer).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A reset is an end too.
        }

        Assert.Equal("", Encoding.Latin1.GetString(answer.ToArray()));
        Assert.False(proxied.Node.HasExited, proxied.Node.Output);
    }

    private async Task<Process> StartAsync(string protocol, ProxyRelay relay, bool isTls)
    {
        string port = relay.Port.ToString(CultureInfo.InvariantCulture);
        if (protocol == "openwire")
        {
            string[] trust = isTls ? await proxied.TrustStoreAsync() : [];
            return await JavaClient.StartAsync("Proxied", [port, ProxiedNode.Password, .. trust]);
        }

        string[] authority = isTls ? [proxied.Authority] : [];
        string[] command =
            [Programs.Script("Proxies", "client.py"), protocol, port, ProxiedNode.Password, .. authority];
        return ClientProcess.Start(Programs.Python, command, redirectInput: true);
    }
}

/// <summary>A node with a user and, for each protocol and for all, listeners behind proxies with and without TLS; and
/// one for its operator, who comes without a proxy.</summary>
public sealed class ProxiedNode : IAsyncLifetime
{
    internal const string Password = "behind a proxy, far away";
    private const string Operator = "operator";

    private readonly TemporaryDirectory _directory = new();
    private readonly Certificates _certificates = new();
    private readonly Dictionary<string, ProxyRelay> _relays = [];
    private string _api = "";

    internal static string[] Listeners { get; } =
    [
        .. from protocol in new[] { "all", "amqp", "mqtt", "stomp", "openwire", "kafka", "http" }
           from end in new[] { "", "-tls" }
           select protocol + end,
    ];

    internal PillarboxProcess Node { get; private set; } = null!;

    /// <summary>The file of the authority of the node's certificate.</summary>
    internal string Authority { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        string[] add = ["user", "add", "alice", "--role", "admin", "--data", _directory.File("data")];
        (await ClientProcess.RunAsync(Programs.Pillarbox, add, Password + "\n")).AssertExit(0);
        Authority = _certificates.WritePem("ca.pem", _certificates.Authority, key: false);
        string server = _certificates.WritePem("server.pem", _certificates.Server, key: true);
        var listeners = new JsonObject();
        foreach (string name in Listeners)
        {
            ProxyRelay relay = _relays[name] = new ProxyRelay();
            listeners[name] = new JsonObject
            {
                ["protocol"] = name.Split('-')[0],
                ["addresses"] = new JsonArray("127.0.0.1:0"),
                ["proxyProtocol"] = true,
                ["proxies"] = new JsonArray("127.0.0.0/8"),
                ["advertised"] = $"localhost:{relay.Port}",
                ["tls"] = name.Contains('-') ? new JsonObject { ["certificate"] = server } : null,
            };
            if (listeners[name]!["tls"] is null) listeners[name]!.AsObject().Remove("tls");
        }

        listeners[Operator] = new JsonObject { ["protocol"] = "http", ["addresses"] = new JsonArray("127.0.0.1:0") };
        string config = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(config, new JsonObject { ["listeners"] = listeners }.ToJsonString());
        Node = await PillarboxProcess.StartAsync(_directory.File("data"), ownListeners: true, "--config", config);
        // Each line names the protocol only; they stand in the order of the configuration.
        string[] places =
        [
            .. from line in Node.Output.Split('\n')
               where line.StartsWith("listening ", StringComparison.Ordinal)
               select line.Split(' ')[2],
        ];
        for (int i = 0; i < Listeners.Length; i++) _relays[Listeners[i]].Target = IPEndPoint.Parse(places[i]);
        _api = $"http://{places[^1]}/api/v1";
    }

    public async ValueTask DisposeAsync()
    {
        if (Node is not null) await Node.DisposeAsync();
        foreach (ProxyRelay relay in _relays.Values) await relay.DisposeAsync();
        _certificates.Dispose();
        _directory.Dispose();
    }

    /// <summary>The proxy in front of a listener.</summary>
    internal ProxyRelay Relay(string listener) => _relays[listener];

    /// <summary>Alice's client, which trusts the node's certificate.</summary>
    internal HttpClient Http()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown?.GetCertHashString() == _certificates.Server.GetCertHashString();
        var http = new HttpClient(handler);
        string login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{Password}"));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", login);
        return http;
    }

    /// <summary>The addresses of a protocol's clients, without ports: of connections, or of the members of a group.
    /// </summary>
    internal async Task<IReadOnlyList<string>> PeersAsync(string protocol, string group)
    {
        using HttpClient http = Http();
        if (protocol == "kafka")
        {
            JsonNode found = JsonNode.Parse(await http.GetStringAsync(new Uri($"{_api}/groups/{group}")))!;
            JsonArray members = found["members"]!.AsArray();
            return [.. members.Select(member => member!["host"]!.GetValue<string>().TrimStart('/'))];
        }

        string wanted = protocol == "ws" ? "mqtt" : protocol;
        JsonNode page = JsonNode.Parse(await http.GetStringAsync(new Uri($"{_api}/connections?pageSize=1000")))!;
        return
        [
            .. from connection in page["items"]!.AsArray()
               where connection!["protocol"]!.GetValue<string>() == wanted
               let place = connection["remoteEndPoint"]!.GetValue<string>()
               // The node's own connections come from nowhere.
               where place.Length > 0
               select $"{IPEndPoint.Parse(place).Address}",
        ];
    }

    /// <summary>The authority for Java: a store and its password.</summary>
    internal async Task<string[]> TrustStoreAsync()
    {
        string store = _directory.File($"{Guid.NewGuid():N}.p12");
        string password = $"{Guid.NewGuid():N}";
        string[] import =
        [
            "-importcert", "-noprompt", "-alias", "authority", "-file", Authority, "-keystore", store, "-storepass",
            password,
        ];
        (await ClientProcess.RunAsync("keytool", import)).AssertExit(0);
        return [store, password];
    }
}
