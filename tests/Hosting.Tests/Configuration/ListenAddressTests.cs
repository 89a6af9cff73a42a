using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:5672", "127.0.0.1", 5672, true)]
    [InlineData("localhost:0", "localhost", 0, true)]
    [InlineData("[::1]:5672", "::1", 5672, true)]
    [InlineData("*:1", "*", 1, false)]
    [InlineData("0.0.0.0:1", "0.0.0.0", 1, false)]
    [InlineData("[::]:1", "::", 1, false)]
    [InlineData("broker.example:5671", "broker.example", 5671, false)]
    [InlineData("10.0.0.7:5671", "10.0.0.7", 5671, false)]
    public void Host_and_port_are_read_and_written_back(string text, string host, int port, bool local)
    {
        Assert.True(ListenAddress.TryParse(text, out ListenAddress? address, out _));
        Assert.Equal(new ListenAddress(host, port, null), address);
        Assert.Equal(local, address.IsLocal);
        Assert.Equal(text, address.ToString());
    }

    [Fact]
    public void A_unix_socket_is_local()
    {
        Assert.True(ListenAddress.TryParse("unix:/run/p.sock", out ListenAddress? address, out _));
        Assert.Equal("/run/p.sock", address.UnixPath);
        Assert.True(address.IsLocal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("5672")]
    [InlineData(":5672")]
    [InlineData("a:b")]
    [InlineData("a:-1")]
    [InlineData("a:65536")]
    [InlineData("::1:5672")]
    [InlineData("[::1]")]
    [InlineData("[x]:1")]
    [InlineData("a b:1")]
    [InlineData("unix:")]
    [InlineData("amqp://127.0.0.1:1")]
    public void Anything_else_is_refused(string? text)
    {
        Assert.False(ListenAddress.TryParse(text, out _, out string? error));
        Assert.Contains("host:port", error, StringComparison.Ordinal);
    }
}
