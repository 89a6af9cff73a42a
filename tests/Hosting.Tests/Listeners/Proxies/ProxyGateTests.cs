using System.Net.Sockets;
using System.Text;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners.Proxies;

public sealed class ProxyGateTests
{
    private const string Line = "PROXY TCP4 192.0.2.1 198.51.100.2 1234 5672\r\n";

    [Theory]
    [InlineData("amqp", "?", "nobody@192.0.2.1:1234:amqp:?")]
    [InlineData("all", "CONNECT\n\n\0", "nobody@192.0.2.1:1234:stomp:CONNECT\n\n\0")]
    public async Task The_peer_is_who_the_proxy_says(string listener, string bytes, string answer)
    {
        await using NodeServer server = await StartAsync(listener);
        Assert.Equal(answer, await TalkAsync(server, Line + bytes));
    }

    [Fact]
    public async Task Without_a_header_there_is_no_connection()
    {
        await using NodeServer server = await StartAsync("amqp");
        Assert.Equal("", await TalkAsync(server, "AMQP\0\u0001\0\0"));
    }

    [Fact]
    public async Task A_header_that_does_not_come_in_time_ends_the_connection()
    {
        await using NodeServer server = await StartAsync("amqp", timeoutMs: 100);
        Assert.Equal("", await TalkAsync(server, "PROXY TCP4 192.0.2.1"));
    }

    [Fact]
    public async Task Who_is_no_proxy_is_not_heard()
    {
        await using NodeServer server = await StartAsync("amqp", 10_000, "10.0.0.0/8", "192.0.2.7");
        Assert.Equal("", await TalkAsync(server, Line + "?"));
    }

    [Fact]
    public async Task A_known_proxy_is_heard()
    {
        await using NodeServer server = await StartAsync("amqp", 10_000, "127.0.0.0/8");
        Assert.StartsWith("nobody@192.0.2.1:1234:", await TalkAsync(server, Line + "?"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_it_is_not_configured_a_header_is_only_bytes()
    {
        await using NodeServer server = await Servers.StartAsync(("amqp", Servers.On("127.0.0.1:0")));
        string answer = await TalkAsync(server, Line);
        Assert.Equal("nobody:amqp:" + Line, answer);
    }

    [Fact]
    public void Proxies_without_the_protocol_are_a_mistake()
    {
        const string Json = """{ "listeners": { "amqp": { "addresses": ["*:1"], "proxies": ["10.0.0.0/8"] } } }""";
        string message = Assert.Throws<ConfigException>(() => ConfigLoader.Parse(Json, "t.json")).Message;
        Assert.Equal("t.json: 'listeners.amqp.proxies' needs proxyProtocol: true", message);
    }

    private static Task<NodeServer> StartAsync(string name, int timeoutMs = 10_000, params string[] proxies) =>
        Servers.StartAsync(
            timeoutMs,
            (name, new ListenerConfig { Addresses = ["127.0.0.1:0"], ProxyProtocol = true, Proxies = proxies }));

    private static async Task<string> TalkAsync(NodeServer server, string text)
    {
        using var answer = new MemoryStream();
        try
        {
            using TcpClient client = await Servers.ConnectAsync(server.Endpoints[0]);
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
            await stream.CopyToAsync(answer);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A reset is an end too, whenever it comes.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }
}
