using Pillarbox.Broker;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>What a session cannot keep, or cannot take up again: what is told of it is what is so.</summary>
public sealed class UnkeptTests
{
    private const int PendingBytes = 64 << 10;
    private const int StateBytesMax = 60;
    private const int LargeId = 200_000_000;

    // The record of a subscription without an identifier has 6 bytes besides its filter.
    private static readonly string JustKept = new('k', StateBytesMax - 6);
    private static readonly string NotKept = new('n', StateBytesMax);

    /// <summary>§3.9.3: the answer says which filter was not subscribed to; the others were.</summary>
    [Theory]
    [InlineData(4, "")]
    [InlineData(5, "")]
    [InlineData(5, "$share/g/")]
    public async Task A_subscription_that_cannot_be_kept_is_refused_alone(byte version, string prefix)
    {
        await using var scene = Limited();
        var spoken = (MqttVersion)version;
        MqttPeer client = await scene.ConnectAsync("c", spoken, clean: false, expiry: 600);
        await client.SendAsync(to => SubscribePacket.Write(
            to, spoken, 9, 0, (prefix + NotKept, (byte)1), ("a", (byte)1), (NotKept + "/#", (byte)0)));
        (FixedHeader header, byte[] body) = await client.TakeAsync();
        Assert.Equal(PacketType.SubAck, header.Type);
        byte refused = (byte)(spoken == MqttVersion.V5 ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError);
        Assert.Equal([refused, 1, refused], body[^3..]);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync(NotKept, "no", 1);
        await from.PublishAsync("a", "yes", 1);
        Assert.Equal("yes", (await client.TakeAnsweredAsync()).Body);
        await client.CutAsync();
        await scene.RestartAsync();
        from = await scene.ConnectAsync("from");
        await from.PublishAsync(NotKept, "no", 1);
        await from.PublishAsync("a", "again", 1);
        client = await scene.ConnectAsync("c", spoken, clean: false, expiry: 600);
        Assert.Equal("again", (await client.TakeAnsweredAsync()).Body);
        await client.AssertQuietAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("$share/g/")]
    public async Task A_subscription_goes_on_as_it_was_when_its_change_cannot_be_kept(string prefix)
    {
        await using var scene = Limited();
        string topic = JustKept[prefix.Length..];
        MqttPeer client = await scene.ConnectAsync("c", expiry: 600);
        Assert.Equal([ReasonCode.GrantedQos1], await client.SubscribeAsync(prefix + topic, 1));
        Assert.Equal([ReasonCode.QuotaExceeded], await client.SubscribeAsync(prefix + topic, 0, id: LargeId));
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync(topic, "one", 1);
        Received one = await client.TakeAnsweredAsync();
        Assert.Equal(("one", 1), (one.Body, one.Qos));
        Assert.Empty(one.All);
        await client.CutAsync();
        client = await scene.ConnectAsync("c", clean: false, expiry: 600);
        await from.PublishAsync(topic, "two", 1);
        Received two = await client.TakeAnsweredAsync();
        Assert.Equal(("two", 1), (two.Body, two.Qos));
        Assert.Equal([ReasonCode.Success], await client.UnsubscribeAsync(prefix + topic));
    }

    /// <summary>What is refused when the session comes back is its own affair: a shared subscription has nothing in the
    /// session's own queue.</summary>
    [Fact]
    public async Task A_shared_subscription_that_is_refused_at_resumption_takes_no_other_with_it()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", expiry: 600);
        await client.SubscribeAsync("t", 1);
        await client.SubscribeAsync("$share/g/t", 1);
        await client.SubscribeAsync("$share/h/t", 1);
        await client.CutAsync();
        using BrokerClient other = scene.Broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "other", Protocol = "test" }, NoWake.Instance);
        other.OpenConsumer(new ConsumerOptions { Queue = "$mqtt.share.g.t", Exclusive = true });
        other.Flush();
        client = await scene.ConnectAsync("c", clean: false, expiry: 600);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 1);
        Assert.Equal("x", (await client.TakeAnsweredAsync()).Body);
        Assert.Equal("x", (await client.TakeAnsweredAsync()).Body);
        await client.AssertQuietAsync();
        Assert.Equal(
            [ReasonCode.Success, ReasonCode.NoSubscriptionExisted, ReasonCode.Success],
            await client.UnsubscribeAsync("t", "$share/g/t", "$share/h/t"));
    }

    /// <summary>A retained message that waits in the session's queue for an answer is not lost when the disk is full
    /// just now.</summary>
    [Fact]
    public async Task A_retained_message_comes_when_the_disk_takes_it()
    {
        FileFaults faults = new();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        await using var scene = new MqttScene(files: files, configure: options => options with
        {
            PendingBytesMax = PendingBytes,
            StalledBytesMax = PendingBytes,
        });
        MqttPeer away = await scene.ConnectAsync("away", expiry: 600);
        await away.SubscribeAsync("kept", 1);
        await away.CutAsync();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.PublishAsync("r", "retained", 1, retain: true);
        faults.WriteFull = 1;
        List<ushort> sent = [];
        while (sent.Count < 4)
        {
            sent.Add(await client.SendPublishAsync("kept", new string('k', PendingBytes), 1));
            await client.AssertQuietAsync();
        }

        await client.SubscribeAsync("r", 1);
        await client.AssertQuietAsync();
        faults.WriteFull = 0;
        bool isThere = false;
        for (int i = 0; i <= sent.Count; i++)
        {
            isThere |= (await client.TakeAsync()).Header.Type == PacketType.Publish;
        }

        Assert.True(isThere);
    }

    private static MqttScene Limited() => new(configure: options => options with
    {
        AddressSettings = new Dictionary<string, AddressSettings>
        {
            ["$mqtt"] = new() { MessageBytesMax = StateBytesMax },
        },
    });
}
