using Pillarbox.Broker.Management;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>A member of a shared subscription holds so many messages of QoS 2 at most: each that has left its session,
/// whatever took it, lets another one come.</summary>
public sealed class SharedCreditTests
{
    private const int Prefetch = 4;
    private const int ExpirySeconds = 5;

    private static readonly string Queue = SessionNames.Queue("member");

    // What the client has not answered keeps what is taken over after it in the session's queue.
    private static readonly MqttOptions OneAtATime = new()
    {
        AllowAnyPassword = true,
        PrefetchMax = 1,
        SharedPrefetchMax = Prefetch,
    };

    [Fact]
    public async Task What_expires_before_it_is_sent_makes_room()
    {
        await using var scene = new MqttScene(OneAtATime);
        (MqttPeer member, Received first) = await FillAsync(scene, expires: true);
        scene.Clock.Advance((ExpirySeconds + 1) * 1000);
        await UntilAsync(scene, queue => queue.ExpiredTotal == Prefetch);
        await ExpectMoreAsync(scene, member, first);
    }

    [Fact]
    public async Task What_an_operator_takes_away_makes_room()
    {
        await using var scene = new MqttScene(OneAtATime);
        (MqttPeer member, Received first) = await FillAsync(scene, expires: false);
        long gone = 0;
        while (gone < Prefetch)
        {
            gone += await scene.Broker.Management.PurgeAsync(Identity.Node, "default", Queue);
        }

        await ExpectMoreAsync(scene, member, first);
    }

    // The client does not answer a message of its own, so that what it takes over waits behind.
    private static async Task<(MqttPeer Member, Received First)> FillAsync(MqttScene scene, bool expires)
    {
        MqttPeer member = await scene.ConnectAsync("member", expiry: 600);
        await member.SubscribeAsync("own", 1);
        await member.SubscribeAsync("$share/g/t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("own", "first", 1);
        Received first = await member.TakePublishAsync();
        for (int i = 0; i < Prefetch; i++)
        {
            ushort id = await from.SendPublishAsync("t", "gone", 2, with: to =>
            {
                if (expires)
                {
                    to.Add(PropertyId.MessageExpiryInterval, ExpirySeconds);
                }
            });
            await from.ExpectAckAsync(PacketType.PubRec, id);
        }

        await UntilAsync(scene, queue => queue.MessageCount == Prefetch + 1);
        return (member, first);
    }

    private static async Task ExpectMoreAsync(MqttScene scene, MqttPeer member, Received first)
    {
        await member.AckAsync(PacketType.PubAck, first.Id);
        MqttPeer from = await scene.ConnectAsync("later");
        for (int i = 0; i < Prefetch * 2; i++)
        {
            await from.PublishAsync("t", $"{i}", 2);
            Assert.Equal($"{i}", (await member.TakeAnsweredAsync()).Body);
        }
    }

    private static async Task UntilAsync(MqttScene scene, Predicate<QueueView> isSo)
    {
        while (await scene.Broker.Management.FindQueueAsync(Identity.Node, "default", Queue) is { } queue
            && !isSo(queue))
        {
            await Task.Yield();
        }
    }
}
