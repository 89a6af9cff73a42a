using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Pillarbox.Interop.Tests.Stomp;

/// <summary>A client that is in the middle of sending when the node ends the connection gets to read why.</summary>
[Collection(nameof(SharedNode))]
public sealed class StompLingerTests(SharedNode shared)
{
    private const int Rounds = 3;
    private const int BytesBehind = 12 << 20;

    [Fact]
    public async Task An_error_is_read_by_a_client_that_is_still_sending()
    {
        string[] address = shared.Node.Listener("stomp").Split(':');
        for (int round = 0; round < Rounds; round++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address[0], int.Parse(address[1]));
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes("CONNECT\naccept-version:1.2\nhost:h\n\n\0NONSENSE\n\n\0"));
            // Nobody wants it any more, and yet the sending must not fail: what was said before would be lost with it.
            await stream.WriteAsync(new byte[BytesBehind]);
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream);
            string said = await reader.ReadToEndAsync();
            Assert.Contains("ERROR\n", said, StringComparison.Ordinal);
            Assert.Contains("NONSENSE", said, StringComparison.Ordinal);
        }

        shared.AssertAlive();
    }
}
