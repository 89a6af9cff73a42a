using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>A disk that takes less than what comes.</summary>
public sealed class BackpressureTests
{
    private const int Messages = 20;
    private const int Subscriptions = 100;

    [Fact]
    public async Task Who_waits_for_a_full_disk_is_not_taken_for_silent()
    {
        FileFaults faults = new();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        await using var scene = new MqttScene(
            files: files, configure: options => options with { ProducerCredit = Messages / 2 });
        MqttPeer subscriber = await scene.ConnectAsync("s", clean: false, expiry: 1000);
        await subscriber.SubscribeAsync("t", qos: 1);
        await subscriber.CutAsync();
        MqttPeer client = await scene.ConnectAsync("c", with: c => c with { KeepAlive = 10 });
        MqttPeer silent = await scene.ConnectAsync("silent", with: c => c with { KeepAlive = 10 });
        faults.WriteFull = 1;
        for (int i = 0; i < Messages; i++)
        {
            await client.SendPublishAsync("t", $"{i}", qos: 1);
        }

        scene.Clock.Advance(60_000);
        Assert.Equal(ReasonCode.KeepAliveTimeout, await silent.ExpectEndAsync());
        faults.WriteFull = 0;
        for (ushort id = 1; id <= Messages; id++)
        {
            Assert.Equal(ReasonCode.Success, await client.ExpectAckAsync(PacketType.PubAck, id));
        }

        await client.AssertQuietAsync();
    }

    /// <summary>MQTT-3.11.3-2: the answer tells that a subscription could not be ended; who cannot be told so does not
    /// hear that it was.</summary>
    [Theory]
    [InlineData(4, "t")]
    [InlineData(5, "t")]
    [InlineData(5, "$share/g/t")]
    public async Task What_the_disk_does_not_let_end_is_not_said_to_have_ended(byte version, string filter)
    {
        FileFaults faults = new();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        await using var scene = new MqttScene(
            files: files, configure: options => options with { PendingBytesMax = 4 << 10 });
        var spoken = (MqttVersion)version;
        MqttPeer client = await scene.ConnectAsync("c", spoken, clean: false, expiry: 1000);
        await client.SubscribeAsync(filter, qos: 1);
        faults.WriteFull = 1;
        await FillAsync(client);
        await client.SendAsync(to => UnsubscribePacket.Write(to, spoken, 999, "no", filter));
        if (spoken == MqttVersion.V5)
        {
            (FixedHeader header, byte[] body) = await client.TakeAsync();
            Assert.Equal(PacketType.UnsubAck, header.Type);
            Assert.Equal(
                [(byte)ReasonCode.NoSubscriptionExisted, (byte)ReasonCode.ImplementationSpecificError], body[^2..]);
        }
        else
        {
            await client.AssertEndedAsync();
        }

        faults.WriteFull = 0;
        client = await scene.ConnectAsync("c", spoken, clean: false, expiry: 1000);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "still", 1);
        Assert.Equal("still", (await client.TakeAnsweredAsync()).Body);
    }

    // Subscribes until the disk is as far behind as it may be: those that are refused are answered.
    private static async Task FillAsync(MqttPeer client)
    {
        for (ushort id = 1; id <= Subscriptions; id++)
        {
            string filter = $"{id}/{new string('x', 100)}";
            await client.SendAsync(to => SubscribePacket.Write(to, client.Version, id, 0, (filter, (byte)1)));
        }

        ushort answered;
        do
        {
            (FixedHeader header, byte[] body) = await client.TakeAsync();
            Assert.Equal((PacketType.SubAck, true), (header.Type, body[^1] >= 0x80));
            answered = (ushort)((body[0] << 8) | body[1]);
        }
        while (answered < Subscriptions);
    }
}
