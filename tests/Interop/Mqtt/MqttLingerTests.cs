using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Pillarbox.Interop.Tests.Mqtt;

/// <summary>A client that is in the middle of sending when the node ends the connection gets to read why.</summary>
[Collection(nameof(SharedNode))]
public sealed class MqttLingerTests(SharedNode shared)
{
    private const int Rounds = 3;
    private const int BytesBehind = 12 << 20;

    [Fact]
    public async Task A_goodbye_is_read_by_a_client_that_is_still_sending()
    {
        string[] address = shared.Node.Listener("mqtt").Split(':');
        for (int round = 0; round < Rounds; round++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address[0], int.Parse(address[1]));
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Connect());
            // A packet of 256 MiB less one, of which most is never sent.
            await stream.WriteAsync(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F });
            await stream.WriteAsync(new byte[BytesBehind]);
            client.Client.Shutdown(SocketShutdown.Send);
            var said = new MemoryStream();
            await stream.CopyToAsync(said);
            byte[] bytes = said.ToArray();
            int goodbye = 2 + bytes[1];
            Assert.Equal((0x20, 0xE0, 0x95), (bytes[0], bytes[goodbye], bytes[goodbye + 2]));
        }

        shared.AssertAlive();
    }

    private static byte[] Connect()
    {
        byte[] id = Encoding.ASCII.GetBytes($"linger-{Guid.NewGuid():N}");
        byte[] packet = [0x10, (byte)(13 + id.Length), 0, 4, .. "MQTT"u8, 5, 2, 0, 0, 0, 0, 0, .. id];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(13), (ushort)id.Length);
        return packet;
    }
}
