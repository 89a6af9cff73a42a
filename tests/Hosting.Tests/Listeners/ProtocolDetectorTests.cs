using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>The listener for all protocols: what the first bytes say, cut anywhere, and who gets the connection.
/// </summary>
public sealed class ProtocolDetectorTests : IDisposable
{
    private static readonly ListenerProtocol[] Every =
    [
        ListenerProtocol.Amqp, ListenerProtocol.Kafka, ListenerProtocol.Mqtt, ListenerProtocol.Stomp,
        ListenerProtocol.OpenWire, ListenerProtocol.Http,
    ];

    private readonly Certificates _certificates = new();

    /// <summary>Real beginnings, in Latin-1.</summary>
    public static TheoryData<ListenerProtocol, string> Beginnings => new()
    {
        { ListenerProtocol.Amqp, "AMQP\u0003\u0001\0\0" },
        { ListenerProtocol.Amqp, "AMQP\0\u0001\0\0" },
        { ListenerProtocol.Kafka, "\0\0\0\u0015\0\u0012\0\u0003\0\0\0\u0001\0\u0007rdkafka\0" },
        { ListenerProtocol.Kafka, "\0\0\0\u0010\0\u0003\0\u0001\0\0\0\u0001\0\0\0\0\0\0" },
        { ListenerProtocol.Kafka, "\0\u0010\0\0\0\0\0\u0008\0\0\0\u0001" },
        { ListenerProtocol.Mqtt, "\u0010\u000c\0\u0004MQTT\u0004\u0002\0<\0\0" },
        { ListenerProtocol.Mqtt, "\u0010\u00ff\u00ff\u0003\0\u0004MQTT\u0005\u0002\0<\0\0" },
        { ListenerProtocol.Mqtt, "\u0010\u000e\0\u0006MQIsdp\u0003\u0002\0<\0\0" },
        { ListenerProtocol.Stomp, "CONNECT\naccept-version:1.2\n\n\0" },
        { ListenerProtocol.Stomp, "CONNECT\r\naccept-version:1.2\r\n\r\n\0" },
        { ListenerProtocol.Stomp, "STOMP\naccept-version:1.2\nhost:x\n\n\0" },
        { ListenerProtocol.Stomp, "\n\r\n\nSTOMP\r\nhost:x\n\n\0" },
        { ListenerProtocol.OpenWire, "\0\0\u0001\u0000\u0001ActiveMQ\0\0\0\u000c" },
        { ListenerProtocol.OpenWire, "\u0001ActiveMQ\0\0\0\u000c" },
        { ListenerProtocol.Http, "GET /health HTTP/1.1\r\n\r\n" },
        { ListenerProtocol.Http, "CONNECT example.org:80 HTTP/1.1\r\n\r\n" },
        { ListenerProtocol.Http, "OPTIONS * HTTP/1.1\r\n\r\n" },
    };

    public void Dispose() => _certificates.Dispose();

    [Theory]
    [MemberData(nameof(Beginnings))]
    public void At_every_split_point_it_waits_or_says_the_same(ListenerProtocol protocol, string beginning)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(beginning);
        bool decided = false;
        for (int length = 0; length <= bytes.Length; length++)
        {
            ListenerProtocol? found = ProtocolDetector.Detect(bytes.AsSpan(0, length), Every, out bool more);
            if (decided)
            {
                Assert.Equal(protocol, found);
            }
            else
            {
                Assert.True(found == protocol || (found is null && more), $"after {length} bytes: {found}, {more}");
                decided = found is not null;
            }
        }

        Assert.True(decided);
    }

    [Theory]
    [InlineData("\u0016\u0003\u0001\u0002\0\u0001\0")]
    [InlineData("SSH-2.0-OpenSSH")]
    [InlineData("CONNECTED\n\n\0")]
    [InlineData("\u0010\u00ff\u00ff\u00ff\u00ff\u0001")]
    [InlineData("\0\0\0\u0003\0\u0012\0\u0003")]
    [InlineData("\0\0\0\u0020\u0001Active!!")]
    [InlineData("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")]
    public void Other_bytes_are_of_no_protocol_and_more_of_them_do_not_help(string beginning)
    {
        Assert.Null(ProtocolDetector.Detect(Encoding.Latin1.GetBytes(beginning), Every, out bool more));
        Assert.False(more);
    }

    [Fact]
    public void Whatever_comes_is_decided_within_the_bound()
    {
        byte[] bytes = new byte[ProtocolSignatures.BytesMax];
        var random = new Random(42);
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            if (round % 3 == 0)
            {
                Array.Fill(bytes, (byte)'\n', 0, random.Next(bytes.Length));
            }

            ListenerProtocol? found = ProtocolDetector.Detect(bytes, Every, out bool more);
            Assert.False(more, $"{Convert.ToHexString(bytes)} {found}");
        }
    }

    [Fact]
    public void A_protocol_that_is_not_served_is_not_recognised()
    {
        ListenerProtocol? found = ProtocolDetector.Detect("AMQP\0\u0001\0\0"u8, [ListenerProtocol.Http], out bool more);
        Assert.Null(found);
        Assert.False(more);
    }

    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task On_one_port_each_protocol_gets_its_connection_with_all_its_bytes(
        ListenerProtocol protocol, string beginning)
    {
        await using NodeServer server = await Servers.StartAsync(("all", Servers.On("127.0.0.1:0")));
        Assert.Equal("all", server.Endpoints[0].ProtocolText);
        using TcpClient client = await Servers.ConnectAsync(server.Endpoints[0]);
        string answer = await TalkAsync(client.GetStream(), Encoding.Latin1.GetBytes(beginning));
        string expected = protocol == ListenerProtocol.Http
            ? "HTTP/1.1 "
            : $"nobody:{NodeProtocols.NameOf(protocol)}:{beginning}";
        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task Below_tls_the_first_bytes_tell_too(ListenerProtocol protocol, string beginning)
    {
        await using NodeServer server = await StartTlsAsync();
        using TcpClient client = await Servers.ConnectAsync(server.Endpoints[0]);
        await using SslStream tls = await EncryptAsync(client, []);
        string answer = await TalkAsync(tls, Encoding.Latin1.GetBytes(beginning));
        string expected = protocol == ListenerProtocol.Http ? "HTTP/1.1 " : $"nobody:{NodeProtocols.NameOf(protocol)}:";
        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("amqp")]
    [InlineData("mqtt")]
    [InlineData("stomp")]
    public async Task What_a_tls_client_asks_for_by_alpn_counts(string name)
    {
        await using NodeServer server = await StartTlsAsync();
        using TcpClient client = await Servers.ConnectAsync(server.Endpoints[0]);
        await using SslStream tls = await EncryptAsync(client, [new SslApplicationProtocol(name)]);
        Assert.Equal(new SslApplicationProtocol(name), tls.NegotiatedApplicationProtocol);
        Assert.StartsWith($"nobody:{name}:", await TalkAsync(tls, "?"u8.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_says_nothing_is_let_go()
    {
        var config = Servers.On("127.0.0.1:0");
        await using NodeServer server = await Servers.StartAsync(handshakeTimeoutMs: 100, ("all", config));
        using TcpClient client = await Servers.ConnectAsync(server.Endpoints[0]);
        await client.GetStream().WriteAsync("CONN"u8.ToArray());
        await AssertClosedAsync(client);
    }

    [Fact]
    public async Task Who_speaks_nonsense_is_let_go_at_once()
    {
        await using NodeServer server = await Servers.StartAsync(("all", Servers.On("127.0.0.1:0")));
        using TcpClient client = await Servers.ConnectAsync(server.Endpoints[0]);
        await client.GetStream().WriteAsync("nonsense"u8.ToArray());
        await AssertClosedAsync(client);
    }

    private static async Task AssertClosedAsync(TcpClient client)
    {
        try
        {
            Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
        }
        catch (IOException)
        {
            // A reset is an end too.
        }
    }

    private static async Task<string> TalkAsync(Stream stream, byte[] bytes)
    {
        await stream.WriteAsync(bytes);
        byte[] answer = new byte[4096];
        int length = 0;
        // HTTP's connections stay open; the echoes end after their answer.
        while (!answer.AsSpan(0, length).StartsWith("HTTP"u8))
        {
            int read = await stream.ReadAsync(answer.AsMemory(length));
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return Encoding.Latin1.GetString(answer, 0, length);
    }

    private Task<NodeServer> StartTlsAsync()
    {
        var tls = new TlsConfig { Certificate = _certificates.WritePem("all.pem", _certificates.Server, key: true) };
        return Servers.StartAsync(("all", Servers.On("127.0.0.1:0", tls)));
    }

    private static async Task<SslStream> EncryptAsync(TcpClient client, List<SslApplicationProtocol> alpn)
    {
#pragma warning disable CA5359 // whose certificate it is does not matter here
        var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
#pragma warning restore CA5359
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = alpn });
        return tls;
    }
}
