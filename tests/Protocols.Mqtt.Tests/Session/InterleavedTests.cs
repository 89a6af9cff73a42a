using System.Buffers;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>What happens while the disk is not done with what came before.</summary>
public sealed class InterleavedTests
{
    private const int LargeBytes = 4_000;

    private static readonly MqttOptions FewUnanswered = new() { AllowAnyPassword = true, ReceiveMaximum = 2 };

    /// <summary>MQTT-3.11.3-1: an UNSUBSCRIBE is answered also when the client subscribes again at once.</summary>
    [Fact]
    public async Task Each_request_for_a_filter_is_answered_though_others_come_behind_it()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", expiry: 600);
        await client.SendAsync(to =>
        {
            Subscribe(to, 1);
            UnsubscribePacket.Write(to, MqttVersion.V5, 2, "t");
            Subscribe(to, 3);
            UnsubscribePacket.Write(to, MqttVersion.V5, 4, "t");
            Subscribe(to, 5);
        });
        List<(PacketType, int)> answers = [];
        while (answers.Count < 5)
        {
            (FixedHeader header, byte[] body) = await client.TakeAsync();
            answers.Add((header.Type, (body[0] << 8) | body[1]));
        }

        Assert.Equal(
            [
                (PacketType.SubAck, 1), (PacketType.SubAck, 3), (PacketType.SubAck, 5),
                (PacketType.UnsubAck, 2), (PacketType.UnsubAck, 4),
            ],
            answers.Order());
        await client.CutAsync();
        client = await scene.ConnectAsync("c", clean: false, expiry: 600);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 1);
        Assert.Equal("x", (await client.TakeAnsweredAsync()).Body);
    }

    /// <summary>§4.9: the quota of a client begins anew with each connection; what it has to release still does not
    /// count.</summary>
    [Fact]
    public async Task What_an_earlier_connection_has_sent_takes_none_of_the_receive_maximum()
    {
        await using var scene = new MqttScene(FewUnanswered);
        MqttPeer client = await scene.ConnectAsync("c", expiry: 600);
        for (ushort id = 1; id <= 2; id++)
        {
            await client.SendPublishAsync("t", "old", 2, id: id);
            await client.ExpectAckAsync(PacketType.PubRec, id);
        }

        await client.CutAsync();
        client = await scene.ConnectAsync("c", clean: false, expiry: 600);
        for (ushort id = 3; id <= 4; id++)
        {
            await client.SendPublishAsync("t", "new", 2, id: id);
            Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.ExpectAckAsync(PacketType.PubRec, id));
        }

        await client.AckAsync(PacketType.PubRel, 1);
        Assert.Equal(ReasonCode.Success, await client.ExpectAckAsync(PacketType.PubComp, 1));
        await client.SendPublishAsync("t", "too many", 2, id: 5);
        Assert.Equal(ReasonCode.ReceiveMaximumExceeded, await client.ExpectEndAsync());
    }

    /// <summary>What is read for a subscription that has gone meanwhile does not pass for the next message.</summary>
    [Fact]
    public async Task A_message_that_is_being_read_when_its_subscription_ends_is_not_taken_for_another()
    {
        var files = new HeldReads(new MemoryFileSystem());
        await using var scene = new MqttScene(
            new MqttOptions { AllowAnyPassword = true, LargeMessageBytesMin = LargeBytes / 2 },
            files: files, configure: options => options with { LargeMessageBytesMin = LargeBytes / 2 });
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("$share/g/t", 1);
        await client.SubscribeAsync("u", 1);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("t", new string('t', LargeBytes), 1);
        await files.Begun;
        await from.PublishAsync("u", new string('u', LargeBytes), 1);
        await client.UnsubscribeAsync("$share/g/t");
        await client.AssertQuietAsync();
        files.GoOn();
        Received got = await client.TakeAnsweredAsync();
        Assert.Equal(("u", new string('u', LargeBytes)), (got.Topic, got.Body));
        await client.AssertQuietAsync();
    }

    private static void Subscribe(IBufferWriter<byte> to, ushort id) =>
        SubscribePacket.Write(to, MqttVersion.V5, id, 0, ("t", (byte)1));
}
