using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Dialing;
using Xunit;

namespace Pillarbox.Hosting.Tests.Dialing;

/// <summary>Where the node connects to, as it is written, and what is said to a proxy.</summary>
public sealed class DialPlaceTests
{
    [Theory]
    [InlineData("host:5", DialScheme.Plain, "host:5")]
    [InlineData("[::1]:5", DialScheme.Plain, "[::1]:5")]
    [InlineData("unix:/run/x", DialScheme.Plain, "unix:/run/x")]
    [InlineData("amqp://host", DialScheme.Plain, "host:5672")]
    [InlineData("amqp://host:1/", DialScheme.Plain, "host:1")]
    [InlineData("amqps://host", DialScheme.Tls, "amqps://host:5671")]
    [InlineData("AMQPS://[::1]:9", DialScheme.Tls, "amqps://[::1]:9")]
    [InlineData("ws://host", DialScheme.WebSocket, "ws://host:80/amqp")]
    [InlineData("wss://host", DialScheme.SecureWebSocket, "wss://host:443/amqp")]
    [InlineData("wss://host:1/a/b?c", DialScheme.SecureWebSocket, "wss://host:1/a/b?c")]
    public void A_place_is_read(string text, DialScheme scheme, string expected)
    {
        Assert.True(DialPlace.TryParse(text, out DialPlace? place));
        Assert.Equal((scheme, expected), (place.Scheme, place.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData("host:0")]
    [InlineData("*:5")]
    [InlineData("http://host:5")]
    [InlineData("amqp://host:5/path")]
    [InlineData("wss://unix:/x")]
    [InlineData("wss://:5")]
    [InlineData("amqps://host:x")]
    public void What_is_no_place_is_refused(string text) => Assert.False(DialPlace.TryParse(text, out _));

    [Fact]
    public void A_proxy_is_asked_with_the_login_that_there_is()
    {
        Assert.Equal(
            "CONNECT host:1 HTTP/1.1\r\nHost: host:1\r\n\r\n",
            Encoding.ASCII.GetString(HttpTunnel.Request("host:1", null, null)));
        string withLogin = Encoding.ASCII.GetString(HttpTunnel.Request("host:1", "ann", new Secret("a:word")));
        string pair = Convert.ToBase64String("ann:a:word"u8);
        Assert.Contains($"\r\nProxy-Authorization: Basic {pair}\r\n", withLogin, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 Connection established\r\n\r\n", 200, "Connection established")]
    [InlineData("HTTP/1.0 407 \r\nX: y\r\n\r\n", 407, "")]
    [InlineData("HTTP/1.1 502\r\n\r\n", 502, "")]
    [InlineData("HTTP/2 200 OK\r\n\r\n", null, "")]
    [InlineData("SSH-2.0-x\r\n\r\n", null, "")]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n", null, null)]
    [InlineData("\r\n\r\n", null, "")]
    public void The_answer_of_a_proxy_is_read(string head, int? status, string? reason)
    {
        bool isRead = HttpTunnel.TryReadStatus(Encoding.ASCII.GetBytes(head), out int found, out string why);
        Assert.Equal(status, isRead ? found : null);
        if (reason is not null)
        {
            Assert.Equal(reason, why);
        }
    }
}
