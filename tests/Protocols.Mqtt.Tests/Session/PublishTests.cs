using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Messages from client to client (MQTT 5.0 §3.3, §4.3).</summary>
public sealed class PublishTests
{
    public static TheoryData<byte, int> Ways => new()
    {
        { 3, 0 }, { 3, 1 }, { 3, 2 }, { 4, 0 }, { 4, 1 }, { 4, 2 }, { 5, 0 }, { 5, 1 }, { 5, 2 },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_message_goes_from_one_client_to_another(byte version, int qos)
    {
        await using var scene = new MqttScene();
        MqttPeer from = await scene.ConnectAsync("from", (MqttVersion)version);
        MqttPeer to = await scene.ConnectAsync("to", (MqttVersion)version);
        Assert.Equal([(ReasonCode)qos], await to.SubscribeAsync("a/+", qos));
        await from.PublishAsync("a/b", "hello", qos);
        await from.PublishAsync("other", "not for it", qos);
        Received got = await to.TakePublishAsync();
        Assert.Equal(("a/b", "hello", qos), (got.Topic, got.Body, got.Qos));
        await FinishAsync(to, got);
        await to.AssertQuietAsync();
    }

    [Fact]
    public async Task The_lower_quality_of_service_counts()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("zero", 0);
        await client.SubscribeAsync("two", 2);
        await client.SendPublishAsync("zero", "x", qos: 2, id: 9);
        await client.ExpectAckAsync(PacketType.PubRec, 9);
        Assert.Equal(0, (await client.TakePublishAsync()).Qos);
        await client.SendPublishAsync("two", "y");
        Assert.Equal(0, (await client.TakePublishAsync()).Qos);
    }

    [Fact]
    public async Task A_message_of_qos_2_that_is_sent_again_is_taken_once()
    {
        await using var scene = new MqttScene();
        MqttPeer to = await scene.ConnectAsync("to");
        await to.SubscribeAsync("t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.SendPublishAsync("t", "once", qos: 2, id: 7);
        await from.ExpectAckAsync(PacketType.PubRec, 7);
        await from.SendPublishAsync("t", "once", qos: 2, id: 7, dup: true);
        await from.ExpectAckAsync(PacketType.PubRec, 7);
        await from.AckAsync(PacketType.PubRel, 7);
        Assert.Equal(ReasonCode.Success, await from.ExpectAckAsync(PacketType.PubComp, 7));
        await from.AckAsync(PacketType.PubRel, 7);
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, await from.ExpectAckAsync(PacketType.PubComp, 7));
        await FinishAsync(to, await to.TakePublishAsync());
        await to.AssertQuietAsync();
    }

    [Fact]
    public async Task Properties_go_through_untouched()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("t", 1, id: 300);
        await client.SendPublishAsync("t", "x", qos: 1, with: to => to
            .Add(PropertyId.PayloadFormatIndicator, 1)
            .Add(PropertyId.ContentType, "text/plain")
            .Add(PropertyId.ResponseTopic, "answers")
            .Add(PropertyId.CorrelationData, "id"u8)
            .Add(PropertyId.MessageExpiryInterval, 100)
            .AddPair("a"u8, "1"u8)
            .AddPair("a"u8, "2"u8));
        await client.ExpectAckAsync(PacketType.PubAck, 2);
        Received got = await client.TakePublishAsync();
        Assert.Equal(
        [
            (PropertyId.PayloadFormatIndicator, "", ""), (PropertyId.ContentType, "text/plain", ""),
            (PropertyId.ResponseTopic, "answers", ""), (PropertyId.CorrelationData, "id", ""),
            (PropertyId.UserProperty, "a", "1"), (PropertyId.UserProperty, "a", "2"),
        ],
            got.All.Where(p => p.Id is not (PropertyId.MessageExpiryInterval or PropertyId.SubscriptionIdentifier))
                .Select(p => (p.Id, p.Id == PropertyId.PayloadFormatIndicator ? "" : p.Text,
                    p.Id == PropertyId.UserProperty ? p.Value : "")));
        Assert.InRange(got.All.Single(p => p.Id == PropertyId.MessageExpiryInterval).Number, 95u, 100u);
        Assert.Equal(300u, got.All.Single(p => p.Id == PropertyId.SubscriptionIdentifier).Number);
    }

    [Fact]
    public async Task An_expired_message_is_not_sent()
    {
        await using var scene = new MqttScene();
        MqttPeer sleeper = await scene.ConnectAsync("s", clean: false, expiry: 1000);
        await sleeper.SubscribeAsync("t", 1);
        await sleeper.CutAsync();
        MqttPeer from = await scene.ConnectAsync("from");
        await from.SendPublishAsync("t", "short", qos: 1, with: to => to.Add(PropertyId.MessageExpiryInterval, 5));
        await from.ExpectAckAsync(PacketType.PubAck, 1);
        await from.PublishAsync("t", "long", 1);
        scene.Clock.Advance(6000);
        sleeper = await scene.ConnectAsync("s", clean: false, expiry: 1000);
        Assert.Equal("long", (await sleeper.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task Aliases_stand_for_topics_both_ways()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", with: c => c with { TopicAliasMaximum = 1 });
        await client.SubscribeAsync("#");
        await client.SendPublishAsync("some/topic", "1", with: to => to.Add(PropertyId.TopicAlias, 3));
        await client.SendPublishAsync("", "2", with: to => to.Add(PropertyId.TopicAlias, 3));
        await client.SendPublishAsync("other", "3", with: to => to.Add(PropertyId.TopicAlias, 3));
        await client.SendPublishAsync("", "4", with: to => to.Add(PropertyId.TopicAlias, 3));
        var got = new List<(string Topic, string Body, int Alias)>();
        for (int i = 0; i < 4; i++)
        {
            Received one = await client.TakePublishAsync();
            got.Add((one.Topic, one.Body, one.Alias));
        }

        Assert.Equal([("some/topic", "1", 1), ("", "2", 1), ("other", "3", 0), ("other", "4", 0)], got);
        await client.SendPublishAsync("", "?", with: to => to.Add(PropertyId.TopicAlias, 4));
        Assert.Equal(ReasonCode.ProtocolError, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task An_alias_beyond_the_maximum_ends_the_connection()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SendPublishAsync("t", "1", with: to => to.Add(PropertyId.TopicAlias, 65));
        Assert.Equal(ReasonCode.TopicAliasInvalid, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task No_more_messages_are_sent_than_the_client_takes_unanswered()
    {
        await using var scene = new MqttScene();
        MqttPeer to = await scene.ConnectAsync("to", with: c => c with { ReceiveMaximum = 2 });
        await to.SubscribeAsync("t", 1);
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < 5; i++)
        {
            await from.PublishAsync("t", $"{i}", 1);
        }

        Received first = await to.TakePublishAsync();
        Received second = await to.TakePublishAsync();
        await to.AssertQuietAsync();
        await to.AckAsync(PacketType.PubAck, second.Id);
        Assert.Equal("2", (await to.TakePublishAsync()).Body);
        await to.AssertQuietAsync();
        await to.AckAsync(PacketType.PubAck, first.Id);
        Assert.Equal("3", (await to.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task A_client_that_sends_more_unanswered_than_was_agreed_is_cut_off()
    {
        await using var scene = new MqttScene(new MqttOptions { ReceiveMaximum = 2 });
        MqttPeer client = await scene.ConnectAsync("c");
        for (ushort id = 1; id <= 3; id++)
        {
            await client.SendPublishAsync("t", "x", qos: 2, id: id);
            if (id < 3)
            {
                await client.ExpectAckAsync(PacketType.PubRec, id);
            }
        }

        Assert.Equal(ReasonCode.ReceiveMaximumExceeded, await client.ExpectEndAsync());
    }

    /// <summary>§3.1.2.11.4: nor is an identifier released that it never saw.</summary>
    [Theory]
    [InlineData("t", 1, 0)]
    [InlineData("t", 2, 0)]
    [InlineData("t", 2, 600)]
    [InlineData("$share/g/t", 2, 600)]
    public async Task A_message_larger_than_the_client_takes_does_not_exist_for_it(string filter, int qos, int expiry)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync(
            "c", expiry: (uint)expiry, with: c => c with { MaximumPacketSize = 100 });
        await client.SubscribeAsync(filter, qos);
        MqttPeer from = await scene.ConnectAsync("from");
        for (int i = 0; i < 100; i++)
        {
            await from.PublishAsync("t", new string('x', 200), qos);
        }

        await from.PublishAsync("t", "small", qos);
        Assert.Equal("small", (await client.TakeAnsweredAsync()).Body);
        await client.AssertQuietAsync();
    }

    [Fact]
    public async Task A_packet_larger_than_the_node_takes_ends_the_connection()
    {
        await using var scene = new MqttScene(new MqttOptions { PacketBytesMax = 1000 });
        MqttPeer client = await scene.ConnectAsync("c");
        Assert.Equal(1000u, client.Admission.Number(PropertyId.MaximumPacketSize));
        await client.SendAsync([0x30, 0xE8, 0x07]);
        Assert.Equal(ReasonCode.PacketTooLarge, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task A_large_message_goes_through_a_file()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync("t", 1);
        string body = new('x', 1_000_000);
        ushort id = await client.SendPublishAsync("t", body, 1);
        var answers = new List<PacketType>();
        string? got = null;
        for (int i = 0; i < 2; i++)
        {
            (FixedHeader header, byte[] bytes) = await client.TakeAsync();
            answers.Add(header.Type);
            got ??= header.Type == PacketType.Publish
                ? System.Text.Encoding.UTF8.GetString(PublishPacket.Read(header.Flags, bytes, MqttVersion.V5).Payload)
                : null;
        }

        Assert.NotEqual(0, id);
        Assert.Equal([PacketType.Publish, PacketType.PubAck], answers.Order());
        Assert.Equal(body, got);
    }

    internal static async Task FinishAsync(MqttPeer peer, Received got)
    {
        if (got.Qos == 1)
        {
            await peer.AckAsync(PacketType.PubAck, got.Id);
        }
        else if (got.Qos == 2)
        {
            await peer.AckAsync(PacketType.PubRec, got.Id);
            await peer.ExpectAckAsync(PacketType.PubRel, got.Id);
            await peer.AckAsync(PacketType.PubComp, got.Id);
        }
    }
}
