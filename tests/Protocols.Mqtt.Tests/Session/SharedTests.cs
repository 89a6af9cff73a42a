using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Messages of QoS 2 in shared subscriptions (MQTT 5.0 §4.8.2), and what a publisher hears when nobody
/// listens (§3.4.2.1).</summary>
public sealed class SharedTests
{
    private const int Prefetch = 4;

    private static readonly MqttOptions Few = new() { AllowAnyPassword = true, SharedPrefetchMax = Prefetch };

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 600)]
    public async Task A_publisher_hears_that_nobody_listens(int qos, int expiry)
    {
        await using var scene = new MqttScene();
        MqttPeer from = await scene.ConnectAsync("from", expiry: (uint)expiry);
        PacketType answer = qos == 1 ? PacketType.PubAck : PacketType.PubRec;
        ushort first = await from.SendPublishAsync("t", "x", qos);
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await from.ExpectAckAsync(answer, first));
        MqttPeer listener = await scene.ConnectAsync("listener");
        await listener.SubscribeAsync("t", 0);
        ushort second = await from.SendPublishAsync("t", "y", qos);
        Assert.Equal(ReasonCode.Success, await from.ExpectAckAsync(answer, second));
        Assert.Equal("y", (await listener.TakePublishAsync()).Body);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(600)]
    public async Task A_member_takes_more_than_it_is_given_at_once(int expiry)
    {
        await using var scene = new MqttScene(Few);
        MqttPeer member = await scene.ConnectAsync("member", expiry: (uint)expiry);
        await member.SubscribeAsync("$share/g/t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < Prefetch * 3; i++)
        {
            await from.PublishAsync("t", $"{i}", 2);
        }

        for (int i = 0; i < Prefetch * 3; i++)
        {
            Assert.Equal($"{i}", (await member.TakeAnsweredAsync()).Body);
        }
    }

    [Fact]
    public async Task A_member_that_does_not_answer_takes_no_more_than_it_is_given_at_once()
    {
        await using var scene = new MqttScene(Few);
        MqttPeer silent = await scene.ConnectAsync("silent", expiry: 600);
        await silent.SubscribeAsync("$share/g/t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < Prefetch * 3; i++)
        {
            await from.PublishAsync("t", $"{i}", 2);
        }

        for (int i = 0; i < Prefetch; i++)
        {
            Assert.Equal($"{i}", (await silent.TakePublishAsync()).Body);
        }

        await silent.AssertQuietAsync();
        MqttPeer other = await scene.ConnectAsync("other", expiry: 600);
        await other.SubscribeAsync("$share/g/t", 2);
        for (int i = Prefetch; i < Prefetch * 3; i++)
        {
            Assert.Equal($"{i}", (await other.TakeAnsweredAsync()).Body);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_sent_to_a_member_waits_for_it_and_goes_to_nobody_else(bool restarts)
    {
        await using var scene = new MqttScene();
        MqttPeer one = await scene.ConnectAsync("one", expiry: 600);
        await one.SubscribeAsync("$share/g/t", 2, id: 7);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 2);
        Received sent = await one.TakePublishAsync();
        Assert.Equal(("x", 2), (sent.Body, sent.Qos));
        await one.CutAsync();
        if (restarts)
        {
            await scene.RestartAsync();
        }

        MqttPeer two = await scene.ConnectAsync("two", expiry: 600);
        await two.SubscribeAsync("$share/g/t", 2);
        await two.AssertQuietAsync();
        MqttPeer back = await scene.ConnectAsync("one", clean: false, expiry: 600);
        Received again = await back.TakePublishAsync();
        Assert.Equal(("x", sent.Id), (again.Body, again.Id));
        Assert.Contains(again.All, property => property is (PropertyId.SubscriptionIdentifier, 7, _, _));
        await back.AckAsync(PacketType.PubRec, again.Id);
        Assert.Equal(ReasonCode.Success, await back.ExpectAckAsync(PacketType.PubRel, again.Id));
        await back.AckAsync(PacketType.PubComp, again.Id);
        await back.AssertQuietAsync();
        await two.AssertQuietAsync();
    }

    [Fact]
    public async Task What_was_sent_to_a_session_that_ends_goes_with_it()
    {
        await using var scene = new MqttScene();
        MqttPeer one = await scene.ConnectAsync("one");
        await one.SubscribeAsync("$share/g/t", 2);
        MqttPeer two = await scene.ConnectAsync("two", expiry: 600);
        await two.SubscribeAsync("$share/g/t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("t", "x", 2);
        await from.PublishAsync("t", "y", 2);
        string ofOne = (await one.TakePublishAsync()).Body;
        string ofTwo = (await two.TakeAnsweredAsync()).Body;
        Assert.Equal(["x", "y"], new[] { ofOne, ofTwo }.Order());
        await one.CutAsync();
        await from.PublishAsync("t", "z", 2);
        Assert.Equal("z", (await two.TakeAnsweredAsync()).Body);
        await two.AssertQuietAsync();
    }
}
