using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Subscriptions, their options and identifiers, shared ones (MQTT 5.0 §3.8, §4.7, §4.8).</summary>
public sealed class SubscribeTests
{
    private const int NoLocal = 4;
    private const int RetainAsPublished = 8;

    [Fact]
    public async Task A_message_that_several_subscriptions_match_comes_once_with_all_identifiers()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("a/#", 0, id: 1);
        await client.SubscribeAsync("a/b", 1, id: 2);
        await client.SubscribeAsync("+/b", 0);
        await (await scene.ConnectAsync("from")).PublishAsync("a/b", "x", 1);
        Received got = await client.TakePublishAsync();
        Assert.Equal(1, got.Qos);
        Assert.Equal([1u, 2u],
            got.All.Where(p => p.Id == PropertyId.SubscriptionIdentifier).Select(p => p.Number).Order());
        await client.AssertQuietAsync();
    }

    [Fact]
    public async Task With_no_local_a_client_does_not_hear_itself()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("t", 0, NoLocal);
        await client.PublishAsync("t", "own");
        await (await scene.ConnectAsync("other")).PublishAsync("t", "foreign");
        Assert.Equal("foreign", (await client.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task A_new_subscription_to_the_same_filter_takes_the_place_of_the_old_one()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("t", 0, id: 1);
        await client.SubscribeAsync("t", 1, id: 2);
        await (await scene.ConnectAsync("other")).PublishAsync("t", "x", 1);
        Received got = await client.TakePublishAsync();
        Assert.Equal((1, 2u), (got.Qos, got.All.Single().Number));
        await client.UnsubscribeAsync("t");
        await (await scene.ConnectAsync("other")).PublishAsync("t", "y", 1);
        await client.AssertQuietAsync();
    }

    [Fact]
    public async Task The_flag_of_retained_messages_goes_on_only_when_asked_for()
    {
        await using var scene = new MqttScene();
        MqttPeer plain = await scene.ConnectAsync("plain");
        MqttPeer asks = await scene.ConnectAsync("asks");
        await plain.SubscribeAsync("t");
        await asks.SubscribeAsync("t", 0, RetainAsPublished);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", retain: true);
        Assert.False((await plain.TakePublishAsync()).Retain);
        Assert.True((await asks.TakePublishAsync()).Retain);
    }

    [Fact]
    public async Task Bad_filters_have_a_reason_each_and_the_others_stand()
    {
        await using var scene = new MqttScene(new MqttOptions { AllowAnyPassword = true, SubscriptionsMax = 1 });
        MqttPeer client = await scene.ConnectAsync("c");
        Assert.Equal([ReasonCode.TopicFilterInvalid], await client.SubscribeAsync("a/#/b"));
        Assert.Equal([ReasonCode.TopicFilterInvalid], await client.SubscribeAsync("$share/g"));
        Assert.Equal([ReasonCode.Success], await client.SubscribeAsync("good"));
        Assert.Equal([ReasonCode.QuotaExceeded], await client.SubscribeAsync("one/more"));
        Assert.Equal([ReasonCode.Success], await client.SubscribeAsync("good"));
        await client.SendAsync(to => SubscribePacket.Write(to, MqttVersion.V5, 9, 0, ("$share/g/t", (byte)NoLocal)));
        Assert.Equal(ReasonCode.ProtocolError, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task Members_of_a_shared_subscription_take_turns()
    {
        await using var scene = new MqttScene();
        MqttPeer one = await scene.ConnectAsync("one");
        MqttPeer two = await scene.ConnectAsync("two");
        MqttPeer all = await scene.ConnectAsync("all");
        await one.SubscribeAsync("$share/g/t/+", 1);
        await two.SubscribeAsync("$share/g/t/+", 1);
        await all.SubscribeAsync("t/+", 1);
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < 10; i++)
        {
            await from.PublishAsync("t/x", $"{i}", 1);
        }

        var seen = new List<string>();
        foreach (MqttPeer member in new[] { one, two })
        {
            for (int i = 0; i < 5; i++)
            {
                Received got = await member.TakePublishAsync();
                seen.Add(got.Body);
                await member.AckAsync(PacketType.PubAck, got.Id);
            }

            await member.AssertQuietAsync();
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), seen.Order());
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal($"{i}", (await all.TakePublishAsync()).Body);
        }
    }

    [Fact]
    public async Task What_a_member_that_leaves_has_not_answered_goes_to_another()
    {
        await using var scene = new MqttScene();
        MqttPeer one = await scene.ConnectAsync("one");
        await one.SubscribeAsync("$share/g/t", 1);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 1);
        Assert.Equal("x", (await one.TakePublishAsync()).Body);
        MqttPeer two = await scene.ConnectAsync("two");
        await two.SubscribeAsync("$share/g/t", 1);
        await two.AssertQuietAsync();
        await one.CutAsync();
        Assert.Equal("x", (await two.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task A_shared_subscription_whose_members_are_gone_for_good_goes_too()
    {
        await using var scene = new MqttScene();
        MqttPeer member = await scene.ConnectAsync("m", clean: false, expiry: 100);
        await member.SubscribeAsync("$share/g/t", 1);
        await member.CutAsync();
        await (await scene.ConnectAsync("from")).PublishAsync("t", "kept", 1);
        member = await scene.ConnectAsync("m", clean: false, expiry: 100);
        Received got = await member.TakePublishAsync();
        Assert.Equal("kept", got.Body);
        await member.AckAsync(PacketType.PubAck, got.Id);
        await member.AssertQuietAsync();
        await member.CutAsync();
        scene.Clock.Advance(101_000);
        for (int i = 0; i < 300 && await QueuesAsync(scene) > 2; i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        // What is left: the retained messages, and the publisher's session.
        Assert.Equal(2, await QueuesAsync(scene));
    }

    [Fact]
    public async Task Permissions_count_for_filters_and_for_topics()
    {
        var roles = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["open.#"] = new Dictionary<string, Permission>
            {
                ["anonymous"] = Permission.Send | Permission.Consume,
            },
            ["secret.#"] = new Dictionary<string, Permission>(),
        };
        await using var scene = new MqttScene(
            new MqttOptions(), new SecurityConfig { Permissions = roles });
        MqttPeer client = await scene.ConnectAsync("c", clean: false, expiry: 100);
        Assert.Equal([ReasonCode.GrantedQos1], await client.SubscribeAsync("open/#", 1));
        Assert.Equal([ReasonCode.NotAuthorized], await client.SubscribeAsync("secret/x", 1));
        Assert.Equal([ReasonCode.NotAuthorized], await client.SubscribeAsync("#", 1));
        await client.SendPublishAsync("secret/x", "no", 1, retain: true, id: 50);
        Assert.Equal(ReasonCode.NotAuthorized, await client.ExpectAckAsync(PacketType.PubAck, 50));
        await client.SendPublishAsync("secret/x", "no", 2, id: 51);
        Assert.Equal(ReasonCode.NotAuthorized, await client.ExpectAckAsync(PacketType.PubRec, 51));
        for (int i = 0; i < 100; i++)
        {
            // The identifier of what was refused is free with the answer.
            await client.SendPublishAsync("secret/x", "no", 2, id: 51);
            Assert.Equal(ReasonCode.NotAuthorized, await client.ExpectAckAsync(PacketType.PubRec, 51));
            await client.SendPublishAsync("nobody/x", "no", 2, id: 51);
            Assert.NotEqual(ReasonCode.Success, await client.ExpectAckAsync(PacketType.PubRec, 51));
        }

        MqttPeer writer = await scene.ConnectAsync("w");
        await writer.SendPublishAsync("open/x", "yes", 1, id: 52);
        Assert.Equal(ReasonCode.Success, await writer.ExpectAckAsync(PacketType.PubAck, 52));
        Assert.Equal("yes", (await client.TakePublishAsync()).Body);
        MqttPeer old = await scene.ConnectAsync("old", MqttVersion.V311);
        await old.SendPublishAsync("secret/x", "no", 1, id: 1);
        await old.AssertEndedAsync();
    }

    private static async Task<int> QueuesAsync(MqttScene scene) =>
        (await scene.Broker.Management.GetNodeAsync()).Queues;

    [Fact]
    public async Task A_slow_reader_loses_what_has_no_answer_beyond_the_bound()
    {
        await using var scene = new MqttScene(
            new MqttOptions { AllowAnyPassword = true, WaitingMessagesMax = 10, PrefetchMax = 1 });
        MqttPeer slow = await scene.ConnectAsync("slow", with: c => c with { ReceiveMaximum = 1 });
        await slow.SubscribeAsync("t", 1);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("t", "first", 1);
        Received first = await slow.TakePublishAsync();
        for (int i = 0; i < 50; i++)
        {
            await from.PublishAsync("t", $"{i}");
        }

        await from.PublishAsync("t", "kept", 1);
        await slow.AckAsync(PacketType.PubAck, first.Id);
        var got = new List<string>();
        do
        {
            got.Add((await slow.TakePublishAsync()).Body);
        }
        while (got[^1] != "kept");

        Assert.Equal([.. Enumerable.Range(0, 9).Select(i => $"{i}"), "kept"], got);
    }
}
