using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
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

    [Theory]
    [InlineData("plant/#", 0, 0)]
    [InlineData("+/line/1", 1, 0)]
    [InlineData("plant/#", 2, 600)]
    [InlineData("$share/g/plant/#", 1, 0)]
    [InlineData("$share/g/plant/line/1", 2, 600)]
    [InlineData("$share/g/+/line/1", 2, 0)]
    public async Task What_matches_comes_once_and_in_order_whoever_wrote_it(string filter, int qos, int expiry)
    {
        await using var scene = new MqttScene();
        Partition partition = Make(scene, "plant.line.1");
        await AppendAsync(partition, "before");
        MqttPeer reader = await scene.ConnectAsync("reader", expiry: (uint)expiry);
        Assert.Equal([(ReasonCode)qos], await reader.SubscribeAsync(filter, qos, id: 9));
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < 60; i += 2)
        {
            await AppendAsync(partition, $"{i}");
            await from.PublishAsync("plant/line/1", $"{i + 1}", 2);
        }

        for (int i = 0; i < 60; i++)
        {
            Received got = await reader.TakeAnsweredAsync();
            Assert.Equal(("plant/line/1", $"{i}", qos), (got.Topic, got.Body, got.Qos));
            Assert.Contains(got.All, property => property is (PropertyId.SubscriptionIdentifier, 9, _, _));
        }

        await reader.AssertQuietAsync();
    }

    [Theory]
    [InlineData("a/#", false)]
    [InlineData("a/b", false)]
    [InlineData("$share/g/a/#", false)]
    [InlineData("a/#", true)]
    [InlineData("a/b", true)]
    [InlineData("$share/g/a/#", true)]
    public async Task A_stream_that_is_made_later_is_heard_from_its_first_record_on(string filter, bool isAway)
    {
        await using var scene = new MqttScene();
        MqttPeer reader = await scene.ConnectAsync("reader", expiry: 600);
        await reader.SubscribeAsync(filter, 1);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("a/b", "1", 1);
        if (isAway)
        {
            await reader.DisconnectAsync();
        }

        Partition partition = Make(scene, "a.b");
        await from.PublishAsync("a/b", "2", 1);
        await AppendAsync(partition, "3");
        if (isAway)
        {
            await scene.RestartAsync();
            reader = await scene.ConnectAsync("reader", clean: false, expiry: 600);
        }

        List<string> got = [];
        for (int i = 0; i < 3; i++)
        {
            got.Add((await reader.TakeAnsweredAsync()).Body);
        }

        Assert.Equal(["1", "2", "3"], got.Order());
        Assert.True(got.IndexOf("2") < got.IndexOf("3"));
        await reader.AssertQuietAsync();
    }

    [Fact]
    public async Task Members_of_a_shared_subscription_share_the_records()
    {
        await using var scene = new MqttScene();
        Partition partition = Make(scene, "t");
        MqttPeer one = await scene.ConnectAsync("one");
        MqttPeer two = await scene.ConnectAsync("two");
        await one.SubscribeAsync("$share/g/#", 1);
        await two.SubscribeAsync("$share/g/#", 1);
        await AppendAsync(partition, "x");
        await AppendAsync(partition, "y");
        string ofOne = (await one.TakeAnsweredAsync()).Body;
        string ofTwo = (await two.TakeAnsweredAsync()).Body;
        Assert.Equal(["x", "y"], new[] { ofOne, ofTwo }.Order());
        await one.UnsubscribeAsync("$share/g/#");
        await AppendAsync(partition, "z");
        Assert.Equal("z", (await two.TakeAnsweredAsync()).Body);
        await one.AssertQuietAsync();
    }

    [Fact]
    public async Task Overlapping_subscriptions_get_a_record_once_with_all_identifiers()
    {
        await using var scene = new MqttScene();
        Partition partition = Make(scene, "a.b");
        MqttPeer reader = await scene.ConnectAsync("reader");
        await reader.SubscribeAsync("a/#", 0, id: 1);
        await reader.SubscribeAsync("a/b", 2, id: 2);
        await AppendAsync(partition, "x");
        Received got = await reader.TakeAnsweredAsync();
        Assert.Equal(("x", 2), (got.Body, got.Qos));
        Assert.Equal(
            [1, 2],
            got.All.Where(one => one.Id == PropertyId.SubscriptionIdentifier).Select(one => (int)one.Number).Order());
        await reader.UnsubscribeAsync("a/b");
        await AppendAsync(partition, "y");
        Assert.Equal(("y", 0), ((await reader.TakePublishAsync()) is { } next ? (next.Body, next.Qos) : default));
        await reader.UnsubscribeAsync("a/#");
        await AppendAsync(partition, "z");
        await reader.AssertQuietAsync();
    }

    [Fact]
    public async Task No_local_leaves_out_what_the_client_wrote_to_a_stream()
    {
        const int NoLocal = 4;
        await using var scene = new MqttScene();
        Partition partition = Make(scene, "s");
        MqttPeer one = await scene.ConnectAsync("one");
        await one.SubscribeAsync("#", 1, NoLocal);
        await one.PublishAsync("s", "own", 1);
        await (await scene.ConnectAsync("two")).PublishAsync("s", "other", 1);
        await AppendAsync(partition, "third");
        Assert.Equal("other", (await one.TakeAnsweredAsync()).Body);
        Assert.Equal("third", (await one.TakeAnsweredAsync()).Body);
        await one.AssertQuietAsync();
    }

    [Fact]
    public async Task Streams_of_a_session_are_bounded()
    {
        await using var scene = new MqttScene(new MqttOptions { AllowAnyPassword = true, StreamSubscriptionsMax = 2 });
        MqttPeer reader = await scene.ConnectAsync("reader");
        Partition[] streams = [Make(scene, "s0"), Make(scene, "s1"), Make(scene, "s2")];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(
                [i < 2 ? ReasonCode.GrantedQos1 : ReasonCode.QuotaExceeded], await reader.SubscribeAsync($"s{i}", 1));
        }

        await reader.SubscribeAsync("#", 1);
        await AppendAsync(streams[2], "unheard");
        await (await scene.ConnectAsync("from")).PublishAsync("s2", "published", 1);
        Assert.Equal("published", (await reader.TakeAnsweredAsync()).Body);
        await AppendAsync(streams[1], "written");
        Assert.Equal("written", (await reader.TakeAnsweredAsync()).Body);
    }

    private static Partition Make(MqttScene scene, string name)
    {
        Grant grant = scene.Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));
        CatalogResult made = scene.Broker.Streams.Create(grant, new StreamSpec { Name = name, Partitions = 1 });
        Assert.Equal(StreamError.None, made.Error);
        return made.Stream!.Partitions[0];
    }

    // As a client of streams does, which hears that it is on disk.
    private static async Task AppendAsync(Partition partition, string value)
    {
        RecordBatchBuilder builder = new();
        builder.Begin(new RecordBatchOptions());
        builder.Add(0, default, Encoding.UTF8.GetBytes(value));
        AppendResult result = partition.Append(builder.Finish().Span, new AppendOptions());
        Assert.Equal(StreamError.None, result.Error);
        while (partition.HighWatermark < result.DurableAt)
        {
            await Task.Delay(1);
        }
    }
}
