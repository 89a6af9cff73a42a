using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Subscriptions to a topic that is a stream: each session has its own place in it.</summary>
public sealed class StreamTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_is_appended_comes_from_now_on(int qos)
    {
        await using var scene = new MqttScene();
        Make(scene, "plant.line");
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("plant/line", "before", 1);
        MqttPeer reader = await scene.ConnectAsync("reader");
        Assert.Equal([(ReasonCode)qos], await reader.SubscribeAsync("plant/line", qos, id: 3));
        for (int i = 0; i < 100; i++)
        {
            await from.PublishAsync("plant/line", $"{i}", 2);
        }

        for (int i = 0; i < 100; i++)
        {
            Received got = await reader.TakeAnsweredAsync();
            Assert.Equal(("plant/line", $"{i}", qos), (got.Topic, got.Body, got.Qos));
            Assert.Contains(got.All, property => property is (PropertyId.SubscriptionIdentifier, 3, _, _));
        }

        await reader.AssertQuietAsync();
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    public async Task A_session_goes_on_where_it_was(int qos, bool restarts)
    {
        await using var scene = new MqttScene();
        Make(scene, "s");
        MqttPeer reader = await scene.ConnectAsync("reader", expiry: 600);
        await reader.SubscribeAsync("s", qos);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("s", "1", 1);
        await from.PublishAsync("s", "2", 1);
        Assert.Equal("1", (await reader.TakeAnsweredAsync()).Body);
        Received unanswered = await reader.TakePublishAsync();
        await reader.CutAsync();
        await from.PublishAsync("s", "3", 1);
        if (restarts)
        {
            await scene.RestartAsync();
        }

        MqttPeer back = await scene.ConnectAsync("reader", clean: false, expiry: 600);
        Received again = await back.TakeAnsweredAsync();
        Assert.Equal(("2", unanswered.Id), (again.Body, again.Id));
        Assert.Equal("3", (await back.TakeAnsweredAsync()).Body);
        await back.AssertQuietAsync();
    }

    [Fact]
    public async Task A_session_that_begins_anew_or_unsubscribes_has_no_place()
    {
        await using var scene = new MqttScene();
        Make(scene, "s");
        MqttPeer from = await scene.ConnectAsync("from");
        MqttPeer reader = await scene.ConnectAsync("reader", expiry: 600);
        await reader.SubscribeAsync("s", 1);
        await reader.UnsubscribeAsync("s");
        await from.PublishAsync("s", "1", 1);
        await reader.SubscribeAsync("s", 1);
        await from.PublishAsync("s", "2", 1);
        Assert.Equal("2", (await reader.TakeAnsweredAsync()).Body);
        await reader.CutAsync();
        await from.PublishAsync("s", "3", 1);
        MqttPeer anew = await scene.ConnectAsync("reader", clean: true, expiry: 600);
        await anew.SubscribeAsync("s", 1);
        await from.PublishAsync("s", "4", 1);
        Assert.Equal("4", (await anew.TakeAnsweredAsync()).Body);
        await anew.AssertQuietAsync();
        var queues = await scene.Broker.Management.ListQueuesAsync(Identity.Node, "default");
        Assert.Single(queues, queue => queue.Config.Stream == "s");
    }

    [Fact]
    public async Task Streams_of_a_session_are_bounded()
    {
        await using var scene = new MqttScene(new MqttOptions { AllowAnyPassword = true, StreamSubscriptionsMax = 2 });
        MqttPeer reader = await scene.ConnectAsync("reader");
        for (int i = 0; i < 3; i++)
        {
            Make(scene, $"s{i}");
            Assert.Equal(
                [i < 2 ? ReasonCode.GrantedQos1 : ReasonCode.QuotaExceeded], await reader.SubscribeAsync($"s{i}", 1));
        }
    }

    private static void Make(MqttScene scene, string name)
    {
        Grant grant = scene.Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));
        Assert.Equal(
            StreamError.None, scene.Broker.Streams.Create(grant, new StreamSpec { Name = name, Partitions = 1 }).Error);
    }
}
