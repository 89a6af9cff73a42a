using Pillarbox.Broker.Addresses;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Messages of QoS 2 in shared subscriptions (MQTT 5.0 §4.8.2), and what a publisher hears when nobody
/// listens (§3.4.2.1).</summary>
public sealed class SharedTests
{
    private const int Prefetch = 4;
    private const int Noises = 200;
    private const int PendingBytes = 128 << 10;

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

    /// <summary>Nothing was sent, so it is not that client's: it hears why it has to go, and another member takes the
    /// message.</summary>
    [Fact]
    public async Task What_a_full_disk_does_not_let_a_member_take_over_goes_to_another()
    {
        FileFaults faults = new();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        await using var scene = new MqttScene(
            files: files, configure: options => options with { PendingBytesMax = PendingBytes });
        MqttPeer away = await scene.ConnectAsync("away", expiry: 600);
        await away.SubscribeAsync("kept", 1);
        await away.CutAsync();
        MqttPeer one = await scene.ConnectAsync("one", expiry: 600);
        await one.SubscribeAsync("noise");
        await one.SubscribeAsync("$share/g/t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        string noise = new('n', 16 << 10);
        for (int i = 0; i < Noises; i++)
        {
            await from.PublishAsync("noise", noise);
        }

        // What goes before it fills the way to the client, which reads nothing yet; then the journal is filled.
        await from.PublishAsync("t", "x", 2);
        faults.WriteFull = 1;
        ushort kept = await from.SendPublishAsync("kept", new string('k', PendingBytes), 1);
        await from.AssertQuietAsync();
        for (int i = 0; i < Noises; i++)
        {
            await one.TakePublishAsync();
        }

        Assert.Equal(ReasonCode.ImplementationSpecificError, await one.ExpectEndAsync());
        faults.WriteFull = 0;
        // The node looks now and then whether the disk takes something again.
        Assert.Equal(ReasonCode.Success, await from.ExpectAckAsync(PacketType.PubAck, kept));
        MqttPeer two = await scene.ConnectAsync("two", expiry: 600);
        await two.SubscribeAsync("$share/g/t", 2);
        Assert.Equal("x", (await two.TakeAnsweredAsync()).Body);
        await two.AssertQuietAsync();
        MqttPeer back = await scene.ConnectAsync("one", clean: false, expiry: 600);
        await back.AssertQuietAsync();
    }

    /// <summary>Sessions may be given less than topics; who has none that lasts takes nothing over.</summary>
    [Theory]
    [InlineData("$mqtt", 32 << 20)]
    [InlineData("other", 1 << 10)]
    public async Task What_a_session_does_not_take_over_goes_to_another(string limited, int transactionBytesMax)
    {
        var settings = new Dictionary<string, AddressSettings> { [limited] = new() { MessageBytesMax = 1000 } };
        await using var scene = new MqttScene(configure: options => options with
        {
            AddressSettings = settings,
            TransactionBytesMax = transactionBytesMax,
        });
        MqttPeer member = await scene.ConnectAsync("member", expiry: 600);
        await member.SubscribeAsync("$share/g/t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        string large = new('x', 2000);
        await from.PublishAsync("t", large, 2);
        await from.PublishAsync("t", "small", 2);
        Assert.Equal("small", (await member.TakeAnsweredAsync()).Body);
        await member.AssertQuietAsync();
        MqttPeer other = await scene.ConnectAsync("other");
        await other.SubscribeAsync("$share/g/t", 2);
        Assert.Equal(large, (await other.TakeAnsweredAsync()).Body);
        await member.AssertQuietAsync();
    }

    /// <summary>What clients of QoS 2 take together is more than a transaction holds.</summary>
    [Fact]
    public async Task Many_are_taken_over_though_a_transaction_holds_few()
    {
        await using var scene = new MqttScene(configure: options => options with { TransactionBytesMax = 4 << 10 });
        MqttPeer member = await scene.ConnectAsync("member", expiry: 600);
        await member.SubscribeAsync("$share/g/t", 2);
        await member.CutAsync();
        MqttPeer from = await scene.ConnectAsync("from");
        string body = new('x', 1000);
        for (int i = 0; i < 16; i++)
        {
            await from.PublishAsync("t", $"{i}{body}", 2);
        }

        member = await scene.ConnectAsync("member", clean: false, expiry: 600);
        for (int i = 0; i < 16; i++)
        {
            Assert.Equal($"{i}{body}", (await member.TakeAnsweredAsync()).Body);
        }
    }
}
