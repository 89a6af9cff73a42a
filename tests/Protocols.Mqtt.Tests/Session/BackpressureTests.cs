using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>A disk that takes less than what comes.</summary>
public sealed class BackpressureTests
{
    private const int Messages = 20;

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
}
