using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>A client that is in the middle of sending when the node ends the connection gets to read why.</summary>
[Collection(nameof(SharedNode))]
public sealed class AmqpLingerTests(SharedNode shared)
{
    private const int Rounds = 3;
    private const int BytesBehind = 12 << 20;

    private static readonly byte[] Header = [.. "AMQP"u8, 0, 1, 0, 0];
    private static readonly byte[] SaslHeader = [.. "AMQP"u8, 3, 1, 0, 0];

    // open { container-id "linger" }
    private static readonly byte[] Open =
        [0, 0, 0, 22, 2, 0, 0, 0, 0, 0x53, 0x10, 0xC0, 9, 1, 0xA1, 6, .. "linger"u8];

    // sasl-init { mechanism "NOPE" }
    private static readonly byte[] Init =
        [0, 0, 0, 20, 2, 1, 0, 0, 0, 0x53, 0x41, 0xC0, 7, 1, 0xA3, 4, .. "NOPE"u8];

    [Fact]
    public async Task A_close_is_read_by_a_client_that_is_still_sending()
    {
        // A frame of 16 MiB, of which most is never sent: far more than anybody was told to send.
        byte[] said = await TalkAsync([.. Header, .. Open, 1, 0, 0, 0, 2, 0, 0, 0]);
        Assert.Contains("amqp:connection:framing-error", Encoding.Latin1.GetString(said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_outcome_of_a_login_is_read_by_a_client_that_is_still_sending()
    {
        byte[] said = await TalkAsync([.. SaslHeader, .. Init]);
        // sasl-outcome { code 1 }
        byte[] outcome = [0x00, 0x53, 0x44, 0xC0, 3, 1, 0x50, 1];
        Assert.True(said.AsSpan().EndsWith(outcome), Convert.ToHexString(said));
    }

    [Fact]
    public async Task A_header_in_return_is_read_by_a_client_that_is_still_sending()
    {
        byte[] said = await TalkAsync([.. "AMQP"u8, 7, 1, 0, 0]);
        Assert.Equal(SaslHeader, said);
    }

    private async Task<byte[]> TalkAsync(byte[] first)
    {
        string[] address = shared.Node.Listener("amqp").Split(':');
        byte[] last = [];
        for (int round = 0; round < Rounds; round++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address[0], int.Parse(address[1]));
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(first);
            // Nobody wants it any more, and yet the sending must not fail: what was said before would be lost with it.
            await stream.WriteAsync(new byte[BytesBehind]);
            client.Client.Shutdown(SocketShutdown.Send);
            var said = new MemoryStream();
            await stream.CopyToAsync(said);
            last = said.ToArray();
            Assert.NotEmpty(last);
        }

        shared.AssertAlive();
        return last;
    }
}
