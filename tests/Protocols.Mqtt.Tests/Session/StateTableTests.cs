using Pillarbox.Protocols.Mqtt.Tests.Wire;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Every packet in every state: it is answered as the specification says, or the connection ends.</summary>
public sealed class StateTableTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Before_CONNECT_any_other_packet_ends_the_connection(byte version)
    {
        await using var scene = new MqttScene();
        foreach (byte[] packet in Packets.All((MqttVersion)version).Where(p => p[0] >> 4 != 1))
        {
            MqttPeer peer = scene.Peer((MqttVersion)version);
            await peer.SendAsync(packet);
            await peer.AssertEndedAsync();
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task After_CONNACK_each_packet_is_answered_or_ends_the_connection(byte version)
    {
        PacketType[] fatal =
            [PacketType.Connect, PacketType.ConnAck, PacketType.SubAck, PacketType.UnsubAck, PacketType.PingResp];
        await using var scene = new MqttScene();
        foreach (byte[] packet in Packets.All((MqttVersion)version))
        {
            MqttPeer peer = await scene.ConnectAsync("c", (MqttVersion)version);
            var type = (PacketType)(packet[0] >> 4);
            await peer.SendAsync(packet);
            bool ends = fatal.Contains(type) || type is PacketType.Disconnect or PacketType.Auth
                || (type == PacketType.Publish && version == 5);
            await peer.SendAsync([0xC0, 0]);
            var seen = new List<PacketType>();
            while (await peer.TryTakeAsync() is { } next && next.Header.Type != PacketType.PingResp)
            {
                seen.Add(next.Header.Type);
            }

            if (!ends)
            {
                await peer.SendAsync([0xC0, 0]);
                while ((await peer.TakeAsync()).Header.Type != PacketType.PingResp)
                {
                }
            }
            else if (type != PacketType.Disconnect)
            {
                Assert.Equal(version == 5 ? [PacketType.Disconnect] : [], seen);
            }

            await peer.CutAsync();
        }
    }

    [Fact]
    public async Task Every_split_of_a_conversation_has_the_same_answers()
    {
        byte[] conversation =
        [
            .. Packets.Bytes(new ConnectPacket { ClientId = "c", CleanStart = true }.Write),
            .. Packets.Bytes(to => SubscribePacket.Write(to, MqttVersion.V5, 1, 0, ("t", (byte)0))),
            .. Packets.Bytes(to => new PublishPacket { Topic = "t"u8, Payload = "x"u8 }.Write(to, MqttVersion.V5)),
            0xC0, 0,
        ];
        await using var scene = new MqttScene();
        for (int at = 1; at < conversation.Length; at++)
        {
            MqttPeer peer = scene.Peer();
            await peer.SendAsync(conversation[..at]);
            await Task.Yield();
            await peer.SendAsync(conversation[at..]);
            var seen = new List<PacketType>();
            for (int i = 0; i < 4; i++)
            {
                seen.Add((await peer.TakeAsync()).Header.Type);
            }

            Assert.Equal(
                [PacketType.ConnAck, PacketType.Publish, PacketType.SubAck, PacketType.PingResp], seen.Order());
            await peer.CutAsync();
        }
    }
}
