using System.Text;
using Pillarbox.Hosting.Listeners.Proxies;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners.Proxies;

public sealed class ProxyHeaderTests
{
    private const string V2 = "\r\n\r\n\0\r\nQUIT\n";

    /// <summary>Headers in Latin-1, and whom they name.</summary>
    public static TheoryData<string, string?, string?> Headers => new()
    {
        { "PROXY TCP4 192.0.2.1 198.51.100.2 1234 5672\r\n", "192.0.2.1:1234", "198.51.100.2:5672" },
        { "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "[2001:db8::1]:1", "[2001:db8::2]:65535" },
        { "PROXY UNKNOWN\r\n", null, null },
        { "PROXY UNKNOWN whatever it likes to say\r\n", null, null },
        {
            V2 + "\u0021\u0011\0\u000c\u00c0\0\u0002\u0001\u00c6\u0033\u0064\u0002\u0004\u00d2\u0016\u0028",
            "192.0.2.1:1234", "198.51.100.2:5672"
        },
        {
            V2 + "\u0021\u0021\0\u0024" + new string('\0', 15) + "\u0001" + new string('\0', 15)
                + "\u0002\0\u0001\0\u0002",
            "[::1]:1", "[::2]:2"
        },
        { V2 + "\u0020\0\0\0", null, null },
        { V2 + "\u0021\0\0\u0003\u0004\0\0", null, null },
        {
            V2 + "\u0021\u0011\0\u0010\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\0\u0001\0\u0002TLVs",
            "1.2.3.4:1", "5.6.7.8:2"
        },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void At_every_split_point_it_waits_until_the_header_is_there(
        string text, string? source, string? destination)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text + "AMQP");
        for (int length = 0; length < text.Length; length++)
        {
            Assert.Equal(ProxyMatch.NotYet, ProxyHeader.TryRead(bytes.AsSpan(0, length), out _));
        }

        for (int length = text.Length; length <= bytes.Length; length++)
        {
            Assert.Equal(ProxyMatch.Yes, ProxyHeader.TryRead(bytes.AsSpan(0, length), out ProxyHeader header));
            Assert.Equal(text.Length, header.Bytes);
            Assert.Equal((source, destination), (header.Source?.ToString(), header.Destination?.ToString()));
        }
    }

    [Theory]
    [InlineData("AMQP\0\u0001\0\0")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.2 1234\r\n")]
    [InlineData("PROXY TCP4 2001:db8::1 198.51.100.2 1234 1\r\n")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.2 1234 1\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.2 70000 1\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.2 -1 1\r\n")]
    [InlineData("PROXY TCP5 192.0.2.1 198.51.100.2 1 1\r\n")]
    [InlineData("PROXY  \r\n")]
    [InlineData(V2 + "\u0031\u0011\0\u000c")]
    [InlineData(V2 + "\u0022\u0011\0\u000c")]
    [InlineData(V2 + "\u0021\u0011\0\u0004abcd")]
    [InlineData(V2 + "\u0021\u0011\u00ff\u00ff")]
    public void Other_bytes_are_refused(string text) =>
        Assert.Equal(ProxyMatch.No, ProxyHeader.TryRead(Encoding.Latin1.GetBytes(text), out _));

    [Fact]
    public void A_line_that_does_not_end_is_refused_at_its_bound() => Assert.Equal(
        ProxyMatch.No, ProxyHeader.TryRead(Encoding.Latin1.GetBytes("PROXY UNKNOWN" + new string('x', 100)), out _));

    [Fact]
    public void Whatever_comes_is_decided_within_the_bound()
    {
        var random = new Random(7);
        byte[] bytes = new byte[ProxyHeader.BytesMax];
        for (int round = 0; round < 5_000; round++)
        {
            random.NextBytes(bytes);
            Encoding.Latin1.GetBytes(round % 2 == 0 ? V2 : "PROXY ").CopyTo(bytes, 0);
            Assert.NotEqual(ProxyMatch.NotYet, ProxyHeader.TryRead(bytes, out _));
        }
    }
}
