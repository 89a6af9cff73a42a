using System.Net.WebSockets;
using System.Text;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners.WebSockets;

/// <summary>Protocols over WebSocket: the same handlers, at their paths of every listener that speaks HTTP.</summary>
public sealed class WebSocketTests
{
    [Theory]
    [InlineData("http", "/amqp", "amqp", "amqp")]
    [InlineData("http", "/mqtt", "mqtt", "mqtt")]
    [InlineData("http", "/mqtt", "mqttv3.1", "mqtt")]
    [InlineData("http", "/stomp", "v11.stomp", "stomp")]
    [InlineData("all", "/stomp", "v12.stomp", "stomp")]
    [InlineData("all", "/amqp", null, "amqp")]
    [InlineData("http", "/amqp", "binary", "amqp")]
    [InlineData("http", "/", "amqp", "amqp")]
    [InlineData("http", "/", "binary", "amqp")]
    [InlineData("http", "", "v12.stomp", "stomp")]
    public async Task A_protocol_is_spoken_at_its_path(
        string listener, string path, string? subprotocol, string protocol)
    {
        await using NodeServer server = await StartAsync(listener);
        using ClientWebSocket client = await ConnectAsync(server, path, subprotocol);
        Assert.Equal(subprotocol, client.SubProtocol);
        await client.SendAsync("hel"u8.ToArray(), WebSocketMessageType.Binary, false, CancellationToken.None);
        (string answer, _) = await ReceiveAllAsync(client);
        Assert.Equal($"nobody:{protocol}:hel", answer);
    }

    [Theory]
    [InlineData("/stomp", "text", WebSocketMessageType.Text)]
    [InlineData("/stomp", "\u00ff", WebSocketMessageType.Binary)]
    [InlineData("/mqtt", "text", WebSocketMessageType.Binary)]
    public async Task Text_goes_as_text_where_the_protocol_has_it(
        string path, string bytes, WebSocketMessageType expected)
    {
        await using NodeServer server = await StartAsync("http");
        using ClientWebSocket client = await ConnectAsync(server, path, null);
        byte[] sent = Encoding.Latin1.GetBytes(bytes);
        await client.SendAsync(sent, WebSocketMessageType.Binary, true, CancellationToken.None);
        (string answer, WebSocketMessageType type) = await ReceiveAllAsync(client);
        Assert.EndsWith(bytes, answer, StringComparison.Ordinal);
        Assert.Equal(expected, type);
    }

    [Fact]
    public async Task Text_for_a_protocol_of_bytes_ends_the_connection()
    {
        await using NodeServer server = await StartAsync("http");
        using ClientWebSocket client = await ConnectAsync(server, "/mqtt", "mqtt");
        await client.SendAsync("text"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        await ReceiveAllAsync(client);
        Assert.Equal(WebSocketCloseStatus.InvalidMessageType, client.CloseStatus);
    }

    [Theory]
    [InlineData("/stomp", "v13.stomp", "400")]
    [InlineData("/amqp", "mqtt", "400")]
    [InlineData("/none", null, "404")]
    [InlineData("/", null, "404")]
    [InlineData("/", "other", "404")]
    public async Task What_is_not_spoken_is_refused(string path, string? subprotocol, string status)
    {
        await using NodeServer server = await StartAsync("http");
        var refusal = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(server, path, subprotocol));
        Assert.Contains(status, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_request_is_told_to_upgrade()
    {
        await using NodeServer server = await StartAsync("http");
        using var http = new HttpClient();
        HttpResponseMessage answer = await http.GetAsync($"http://{server.Endpoints[0].Address}/mqtt");
        Assert.Equal(426, (int)answer.StatusCode);
        Assert.Equal("hello", await http.GetStringAsync($"http://{server.Endpoints[0].Address}/hello"));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("http://{own}", true)]
    [InlineData("https://good.example", true)]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    public async Task A_page_opens_one_only_if_it_may(string? origin, bool allowed)
    {
        await using NodeServer server = await StartAsync("http", "https://good.example");
        string? sent = origin?.Replace("{own}", server.Endpoints[0].Address, StringComparison.Ordinal);
        Task<ClientWebSocket> connecting = ConnectAsync(server, "/stomp", null, sent);
        if (allowed)
        {
            (await connecting).Dispose();
        }
        else
        {
            var refusal = await Assert.ThrowsAsync<WebSocketException>(() => connecting);
            Assert.Contains("403", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_listener_takes_none_when_the_operator_says_so_and_other_resources_can_be_shut_too()
    {
        await using NodeServer server = await Servers.StartAsync(("http", new ListenerConfig
        {
            Addresses = ["127.0.0.1:0"], WebSockets = false, Health = false, Metrics = false,
        }));
        var refusal = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(server, "/amqp", "amqp"));
        Assert.Contains("404", refusal.Message, StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{server.Endpoints[0].Address}") };
        Assert.Equal("hello", await http.GetStringAsync("/hello"));
        foreach (string path in (string[])["/health/hello", "/healthz", "/metrics"])
        {
            Assert.Equal(404, (int)(await http.GetAsync(path)).StatusCode);
        }

        await using NodeServer open = await StartAsync("http");
        Assert.Equal("hello", await http.GetStringAsync($"http://{open.Endpoints[0].Address}/metrics"));
    }

    [Fact]
    public async Task With_a_star_every_page_may()
    {
        await using NodeServer server = await StartAsync("http", "*");
        (await ConnectAsync(server, "/stomp", null, "https://evil.example")).Dispose();
    }

    private static Task<NodeServer> StartAsync(string name, params string[] origins) =>
        Servers.StartAsync((name, new ListenerConfig { Addresses = ["127.0.0.1:0"], Origins = origins }));

    private static async Task<ClientWebSocket> ConnectAsync(
        NodeServer server, string path, string? subprotocol, string? origin = null)
    {
        var client = new ClientWebSocket();
        if (subprotocol is not null)
        {
            client.Options.AddSubProtocol(subprotocol);
        }

        if (origin is not null)
        {
            client.Options.SetRequestHeader("Origin", origin);
        }

        await client.ConnectAsync(new Uri($"ws://{server.Endpoints[0].Address}{path}"), CancellationToken.None);
        return client;
    }

    private static async Task<(string Text, WebSocketMessageType Type)> ReceiveAllAsync(ClientWebSocket client)
    {
        var text = new StringBuilder();
        var type = WebSocketMessageType.Close;
        byte[] buffer = new byte[4096];
        while (true)
        {
            ValueWebSocketReceiveResult received =
                await client.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return (text.ToString(), type);
            }

            type = received.MessageType;
            text.Append(Encoding.Latin1.GetString(buffer, 0, received.Count));
        }
    }
}
