using Pillarbox.Broker.Addresses;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Retained messages (MQTT 5.0 §3.3.1.3, §3.8.3.1).</summary>
public sealed class RetainTests
{
    // What the node tells of itself is retained too.
    private static readonly MqttOptions OneRetained = new()
    {
        AllowAnyPassword = true,
        RetainedMessagesMax = 1,
        SystemTopicsIntervalMs = 0,
    };

    private const int PendingBytes = 128 << 10;

    [Theory]
    [InlineData(3, 0)]
    [InlineData(4, 1)]
    [InlineData(5, 0)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public async Task The_last_message_of_a_topic_comes_to_who_subscribes_later(byte version, int qos)
    {
        await using var scene = new MqttScene();
        MqttPeer from = await scene.ConnectAsync("from", (MqttVersion)version);
        await from.PublishAsync("r/a", "old", qos, retain: true);
        await from.PublishAsync("r/a", "new", qos, retain: true);
        await from.PublishAsync("r/b", "other", qos, retain: true);
        await from.PublishAsync("r/b", "", qos, retain: true);
        // Of messages of QoS 0 nobody hears that they have come; what was sent behind them tells.
        await from.AssertQuietAsync();
        MqttPeer to = await scene.ConnectAsync("to", (MqttVersion)version);
        await to.SubscribeAsync("r/+", 2);
        Received got = await to.TakePublishAsync();
        Assert.Equal(("r/a", "new", qos, true), (got.Topic, got.Body, got.Qos, got.Retain));
        await PublishTests.FinishAsync(to, got);
        await to.AssertQuietAsync();
    }

    [Fact]
    public async Task Retained_messages_are_there_after_a_restart_and_removed_ones_are_not()
    {
        await using var scene = new MqttScene();
        MqttPeer from = await scene.ConnectAsync("from");
        foreach ((string topic, string body) in new[] { ("a", "1"), ("b", "2"), ("a", "3"), ("b", "") })
        {
            await from.PublishAsync(topic, body, 1, retain: true);
        }

        await scene.RestartAsync();
        MqttPeer to = await scene.ConnectAsync("to");
        await to.SubscribeAsync("#", 1);
        Received got = await to.TakePublishAsync();
        Assert.Equal(("a", "3"), (got.Topic, got.Body));
        await to.AckAsync(PacketType.PubAck, got.Id);
        await to.AssertQuietAsync();
    }

    [Fact]
    public async Task Retain_handling_says_when_they_come()
    {
        await using var scene = new MqttScene();
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 1, retain: true);
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("t", 0, options: 0x20);
        await client.AssertQuietAsync();
        await client.SubscribeAsync("t", 0, options: 0x10);
        await client.AssertQuietAsync();
        await client.SubscribeAsync("t", 0);
        Assert.Equal("x", (await client.TakePublishAsync()).Body);
        await client.UnsubscribeAsync("t");
        await client.SubscribeAsync("t", 0, options: 0x10, id: 5);
        Assert.Equal(5u, (await client.TakePublishAsync()).All.Single().Number);
        await client.SubscribeAsync("$share/g/t", 0);
        await client.AssertQuietAsync();
    }

    [Fact]
    public async Task Many_retained_messages_come_all_under_a_wildcard()
    {
        await using var scene = new MqttScene(
            new MqttOptions { AllowAnyPassword = true, RetainedStepsPerPass = 7 });
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < 300; i++)
        {
            await from.PublishAsync($"m/{i % 10}/{i}", $"{i}", i == 299 ? 1 : 0, retain: true);
        }

        foreach ((string filter, int count) in new[] { ("m/3/#", 30), ("m/+/7", 1), ("#", 300), ("m/x/#", 0) })
        {
            MqttPeer to = await scene.ConnectAsync("to");
            await to.SubscribeAsync(filter, 0);
            var got = new HashSet<string>();
            for (int i = 0; i < count; i++)
            {
                got.Add((await to.TakePublishAsync()).Body);
            }

            Assert.Equal(count, got.Count);
            await to.AssertQuietAsync();
        }
    }

    [Fact]
    public async Task There_is_a_bound_to_retained_messages()
    {
        await using var scene = new MqttScene(OneRetained);
        MqttPeer client = await scene.ConnectAsync("c");
        await client.PublishAsync("a", "1", 1, retain: true);
        await client.SendPublishAsync("b", "2", 1, retain: true, id: 77);
        Assert.Equal(ReasonCode.QuotaExceeded, await client.ExpectAckAsync(PacketType.PubAck, 77));
    }

    [Fact]
    public async Task The_node_tells_of_itself_below_SYS()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("#");
        await client.SubscribeAsync("$SYS/broker/version");
        Received got = await client.TakePublishAsync();
        Assert.Equal("$SYS/broker/version", got.Topic);
        Assert.StartsWith("pillarbox", got.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_cannot_be_retained_ends_a_connection_that_cannot_be_told(int qos)
    {
        await using var scene = new MqttScene(OneRetained);
        MqttPeer client = await scene.ConnectAsync("c", MqttVersion.V311);
        await client.PublishAsync("a", "1", 1, retain: true);
        await client.SendPublishAsync("b", "2", qos, retain: true);
        await client.AssertEndedAsync();
    }

    /// <summary>MQTT-4.3.2-4, 4.3.3-8: one answer, though the message is on its way to the disk twice.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 100)]
    public async Task A_retained_message_that_is_refused_is_answered_once(int qos, int expiry)
    {
        var settings = new Dictionary<string, AddressSettings> { ["t"] = new() { MessageBytesMax = 1000 } };
        await using var scene = new MqttScene(
            new MqttOptions { AllowAnyPassword = true, ReceiveMaximum = 2 },
            configure: options => options with { AddressSettings = settings });
        MqttPeer client = await scene.ConnectAsync("c", expiry: (uint)expiry);
        PacketType answer = qos == 1 ? PacketType.PubAck : PacketType.PubRec;
        for (int i = 0; i < 5; i++)
        {
            await client.SendPublishAsync("t", new string('x', 2000), qos, retain: true, id: 7);
            Assert.Equal(ReasonCode.QuotaExceeded, await client.ExpectAckAsync(answer, 7));
            // What is told of the retained message comes before what is told of a later one.
            await client.PublishAsync("other", "taken", qos, retain: true);
        }

        await client.AssertQuietAsync();
        await client.AckAsync(PacketType.PubRel, 7);
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, await client.ExpectAckAsync(PacketType.PubComp, 7));
    }

    /// <summary>MQTT-4.3.3-9: after PUBREC with an error the identifier stands for nothing, in the next connection
    /// neither.</summary>
    [Fact]
    public async Task The_identifier_of_a_message_that_cannot_be_retained_is_free()
    {
        var settings = new Dictionary<string, AddressSettings>
        {
            ["$mqtt.retained"] = new() { MessageBytesMax = 1000 },
        };
        await using var scene = new MqttScene(configure: options => options with { AddressSettings = settings });
        MqttPeer client = await scene.ConnectAsync("c", expiry: 100);
        await client.SendPublishAsync("t", new string('x', 2000), 2, retain: true, id: 7);
        Assert.Equal(ReasonCode.QuotaExceeded, await client.ExpectAckAsync(PacketType.PubRec, 7));
        await client.CutAsync();
        client = await scene.ConnectAsync("c", clean: false, expiry: 100);
        MqttPeer reader = await scene.ConnectAsync("reader");
        await reader.SubscribeAsync("other");
        await client.SendPublishAsync("other", "another", 2, id: 7);
        Assert.Equal(ReasonCode.Success, await client.ExpectAckAsync(PacketType.PubRec, 7));
        Assert.Equal("another", (await reader.TakePublishAsync()).Body);
    }

    /// <summary>§3.3.2.3.3: a retained message that has expired is none, and takes no room.</summary>
    [Fact]
    public async Task A_retained_message_that_has_expired_makes_room_for_another()
    {
        await using var scene = new MqttScene(OneRetained);
        MqttPeer client = await scene.ConnectAsync("c");
        ushort first = await client.SendPublishAsync(
            "a", "1", 1, retain: true, with: to => to.Add(PropertyId.MessageExpiryInterval, 5));
        await client.ExpectAckAsync(PacketType.PubAck, first);
        await client.SendPublishAsync("b", "2", 1, retain: true, id: 77);
        Assert.Equal(ReasonCode.QuotaExceeded, await client.ExpectAckAsync(PacketType.PubAck, 77));
        scene.Clock.Advance(6_000);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        ReasonCode answer;
        do
        {
            // The clock's tick takes it away.
            patience.Token.ThrowIfCancellationRequested();
            await client.SendPublishAsync("b", "2", 1, retain: true, id: 78);
            answer = await client.ExpectAckAsync(PacketType.PubAck, 78);
        }
        while (answer == ReasonCode.QuotaExceeded);

        Assert.Equal(ReasonCode.Success, answer);
        await scene.RestartAsync();
        MqttPeer reader = await scene.ConnectAsync("reader");
        await reader.SubscribeAsync("#");
        Assert.Equal("2", (await reader.TakePublishAsync()).Body);
        await reader.AssertQuietAsync();
    }

    /// <summary>MQTT-3.3.1-5: what a topic has is replaced, also when no further topic may have one.</summary>
    [Fact]
    public async Task A_retained_message_is_replaced_though_there_is_room_for_no_more()
    {
        await using var scene = new MqttScene(OneRetained with { RetainedBytesMax = 1000 });
        MqttPeer client = await scene.ConnectAsync("c");
        await client.PublishAsync("a", new string('1', 700), 1, retain: true);
        await client.PublishAsync("a", new string('2', 700), 1, retain: true);
        await client.SendPublishAsync("a", new string('3', 1000), 1, retain: true, id: 77);
        Assert.Equal(ReasonCode.QuotaExceeded, await client.ExpectAckAsync(PacketType.PubAck, 77));
        await client.SubscribeAsync("a");
        Assert.Equal(new string('2', 700), (await client.TakePublishAsync()).Body);
    }

    /// <summary>What the broker does not take as a message is not retained either, nor does it take away what is.
    /// </summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 100)]
    public async Task A_publish_that_is_refused_changes_no_retained_message(int qos, int expiry)
    {
        var settings = new Dictionary<string, AddressSettings> { ["t"] = new() { MessageBytesMax = 1000 } };
        await using var scene = new MqttScene(configure: options => options with { AddressSettings = settings });
        MqttPeer client = await scene.ConnectAsync("c", expiry: (uint)expiry);
        await client.PublishAsync("t", "kept", 1, retain: true);
        await client.SendPublishAsync("t", new string('x', 2000), qos, retain: true, id: 7);
        if (qos > 0)
        {
            PacketType answer = qos == 1 ? PacketType.PubAck : PacketType.PubRec;
            Assert.Equal(ReasonCode.QuotaExceeded, await client.ExpectAckAsync(answer, 7));
        }

        await client.AssertQuietAsync();
        await ExpectRetainedAsync(scene, "kept");
        await scene.RestartAsync();
        await ExpectRetainedAsync(scene, "kept");
    }

    /// <summary>That a transaction is not taken by the disk is known when the message is retained already: what was
    /// before comes back.</summary>
    [Fact]
    public async Task A_publish_that_a_full_disk_refuses_changes_no_retained_message()
    {
        FileFaults faults = new();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        await using var scene = new MqttScene(
            files: files, configure: options => options with { PendingBytesMax = PendingBytes });
        MqttPeer reader = await scene.ConnectAsync("reader", expiry: 100);
        await reader.SubscribeAsync("filler", 1);
        MqttPeer client = await scene.ConnectAsync("c", expiry: 100);
        await client.PublishAsync("t", "kept", 1, retain: true);
        MqttPeer filler = await scene.ConnectAsync("filler");
        MqttPeer latecomer = await scene.ConnectAsync("latecomer");
        faults.WriteFull = 1;
        ushort filling = await filler.SendPublishAsync("filler", new string('f', PendingBytes), 1);
        await filler.AssertQuietAsync();
        await client.SendPublishAsync("t", "refused", 2, retain: true, id: 7);
        await client.AssertQuietAsync();
        await latecomer.SubscribeAsync("t");
        Received found = await latecomer.TakePublishAsync();
        faults.WriteFull = 0;
        Assert.Equal(ReasonCode.Success, await filler.ExpectAckAsync(PacketType.PubAck, filling));
        Assert.Equal(ReasonCode.ImplementationSpecificError, await client.ExpectAckAsync(PacketType.PubRec, 7));
        Assert.Equal("kept", found.Body);
        await client.PublishAsync("other", "behind it", 1, retain: true);
        await scene.RestartAsync();
        await ExpectRetainedAsync(scene, "kept");
    }

    private static async Task ExpectRetainedAsync(MqttScene scene, string body)
    {
        MqttPeer reader = await scene.ConnectAsync("latecomer");
        await reader.SubscribeAsync("t");
        Assert.Equal(body, (await reader.TakePublishAsync()).Body);
        await reader.AssertQuietAsync();
        await reader.CutAsync();
    }
}
