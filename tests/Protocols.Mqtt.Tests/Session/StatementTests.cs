using System.Text;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Single normative statements, by their numbers in MQTT 5.0, that no test elsewhere comes past.</summary>
public sealed class StatementTests
{
    /// <summary>MQTT-3.1.2-8, MQTT-3.14.4-3: only the reason 0x00 takes the will away.</summary>
    [Theory]
    [InlineData(0x00, false)]
    [InlineData(0x04, true)]
    [InlineData(0x80, true)]
    [InlineData(0x82, true)]
    [InlineData(0x98, true)]
    public async Task A_goodbye_with_an_error_has_the_will_published(int reason, bool isPublished)
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await scene.ConnectAsync("watcher");
        await watcher.SubscribeAsync("will");
        MqttPeer client = await scene.ConnectAsync("c", with: WithWill("will"));
        await client.DisconnectAsync((ReasonCode)reason);
        if (isPublished)
        {
            Assert.Equal("gone", (await watcher.TakePublishAsync()).Body);
        }

        await watcher.AssertQuietAsync();
    }

    /// <summary>MQTT-2.1.3-1, 3.6.1-1, 3.8.1-1, 3.10.1-1, 3.14.1-1, 3.15.1-1; 3.1 lets DUP be set.</summary>
    [Theory]
    [InlineData("6A020001")]
    [InlineData("8A0600010001610000")]
    [InlineData("AA0500010001610000")]
    [InlineData("C800")]
    [InlineData("48020001")]
    [InlineData("58020001")]
    [InlineData("78020001")]
    [InlineData("E800")]
    [InlineData("F800")]
    public async Task A_reserved_flag_ends_the_connection(string hex)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SendAsync(Convert.FromHexString(hex));
        Assert.Equal(ReasonCode.MalformedPacket, await client.ExpectEndAsync());
        MqttPeer old = await scene.ConnectAsync("old", MqttVersion.V311);
        await old.SendAsync(Convert.FromHexString(hex));
        await old.AssertEndedAsync();
    }

    [Fact]
    public async Task A_flag_that_is_reserved_since_3_1_1_means_nothing_in_3_1()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", MqttVersion.V31);
        await client.SendAsync([0x6A, 2, 0, 9]);
        Assert.Equal(ReasonCode.Success, await client.ExpectAckAsync(PacketType.PubComp, 9));
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(5, 0x81)]
    public async Task A_reserved_flag_of_CONNECT_is_looked_at_when_the_version_is_known(byte version, int code)
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer((MqttVersion)version);
        var to = new System.Buffers.ArrayBufferWriter<byte>();
        new ConnectPacket { Version = (MqttVersion)version, ClientId = "c", CleanStart = true }.Write(to);
        byte[] bytes = to.WrittenSpan.ToArray();
        bytes[0] |= 8;
        await peer.SendAsync(bytes);
        Assert.Equal(code, (await peer.TakeAsync()).Body[1]);
    }

    /// <summary>MQTT-3.1.2-24, 3.1.2-25: a packet of the largest size is sent, one larger by a byte is not.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task A_message_of_just_the_size_that_the_client_takes_is_sent(int aliases)
    {
        const int Max = 100;
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync(
            "c", with: c => c with { MaximumPacketSize = Max, TopicAliasMaximum = (ushort)aliases });
        await client.SubscribeAsync("topic");
        // Fixed header 2, topic 2 + 5, properties 1.
        foreach (int size in new[] { Max - 10, Max - 9, Max - 12, Max - 10, 3 })
        {
            await client.PublishAsync("topic", new string('x', size));
        }

        var sizes = new List<int>();
        for (int i = 0; i < 4; i++)
        {
            sizes.Add((await client.TakePublishAsync()).Body.Length);
        }

        Assert.Equal([Max - 10, Max - 12, Max - 10, 3], sizes);
        await client.AssertQuietAsync();
    }

    /// <summary>MQTT-3.4.2-2, 3.5.2-2, 3.14.2-3: a reason string does not make a packet too large.</summary>
    [Theory]
    [InlineData(20, 1, false)]
    [InlineData(20, 2, false)]
    [InlineData(1000, 1, true)]
    [InlineData(1000, 2, true)]
    public async Task A_reason_is_told_in_words_where_they_fit(int most, int qos, bool fits)
    {
        await using var scene = new MqttScene(
            new MqttOptions { AllowAnyPassword = true, RetainedMessagesMax = 1, SystemTopicsIntervalMs = 0 });
        MqttPeer client = await scene.ConnectAsync("c", with: c => c with { MaximumPacketSize = (uint)most });
        await client.PublishAsync("a", "1", 1, retain: true);
        await client.SendPublishAsync("b", "2", qos, retain: true, id: 77);
        (FixedHeader header, byte[] body) = await client.TakeAsync();
        Assert.Equal(qos == 1 ? PacketType.PubAck : PacketType.PubRec, header.Type);
        Assert.Equal((byte)ReasonCode.QuotaExceeded, body[2]);
        Assert.Equal(fits, body.Length > 3);
        await client.SendAsync([0xFF, 0x00]);
        (header, body) = await client.TakeAsync();
        Assert.Equal((PacketType.Disconnect, fits), (header.Type, body.Length > 2));
        Assert.InRange(header.PacketBytes, 4, most);
    }

    /// <summary>MQTT-3.1.2-24, 3.2.2-19: what need not be told is not, and without room for the rest it does not go on.
    /// </summary>
    [Theory]
    [InlineData(10, 0x95, false)]
    [InlineData(20, 0, false)]
    [InlineData(100, 0, true)]
    public async Task The_answer_to_CONNECT_fits_what_the_client_takes(int most, int reason, bool hasInformation)
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer();
        await peer.SendAsync(to => new ConnectPacket
        {
            ClientId = "c",
            CleanStart = true,
            KeepAlive = 10,
            MaximumPacketSize = (uint)most,
            RequestResponseInformation = true,
        }.Write(to));
        (FixedHeader header, byte[] body) = await peer.TakeAsync();
        ConnAckPacket answer = ConnAckPacket.Read(body, MqttVersion.V5);
        Assert.Equal((ReasonCode)reason, answer.Reason);
        Assert.Equal(hasInformation, answer.Text(PropertyId.ResponseInformation) is not null);
        Assert.InRange(header.PacketBytes, 5, most);
    }

    [Fact]
    public async Task An_answer_with_more_reasons_than_the_client_takes_ends_the_connection()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", with: c => c with { MaximumPacketSize = 20 });
        (string, byte)[] filters = [.. Enumerable.Range(0, 16).Select(i => ($"t/{i}", (byte)0))];
        await client.SendAsync(to => SubscribePacket.Write(to, MqttVersion.V5, 1, 0, filters));
        Assert.Equal(ReasonCode.PacketTooLarge, await client.ExpectEndAsync());
    }

    /// <summary>MQTT-4.7.2-1, also for the members of a group.</summary>
    [Theory]
    [InlineData("#")]
    [InlineData("+/a")]
    [InlineData("$share/g/#")]
    [InlineData("$share/g/+/a")]
    public async Task A_wildcard_at_the_first_level_matches_no_topic_of_a_server(string filter)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SubscribeAsync(filter, 1);
        await client.SubscribeAsync("$share/h/$own/#", 1);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("$own/a", "1", 1);
        Assert.Equal("1", (await client.TakeAnsweredAsync()).Body);
        await from.PublishAsync("own/a", "2", 1);
        Assert.Equal("2", (await client.TakeAnsweredAsync()).Body);
        await client.AssertQuietAsync();
    }

    /// <summary>MQTT-3.3.2-8, MQTT-3.3.4-6: what a client does not write into a PUBLISH.</summary>
    [Theory]
    [InlineData(0x23, 0, 0x94)]
    [InlineData(0x0B, 1, 0x82)]
    public async Task What_a_client_may_not_say_of_a_message_ends_the_connection(int property, int value, int reason)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        await client.SendPublishAsync("t", "1", with: to => to.Add((PropertyId)property, (uint)value));
        Assert.Equal((ReasonCode)reason, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task A_will_below_SYS_is_refused()
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer();
        ConnAckPacket answer = await peer.ConnectAsync(
            WithWill("$SYS/broker/version")(new ConnectPacket { ClientId = "c", CleanStart = true }));
        Assert.Equal(ReasonCode.TopicNameInvalid, answer.Reason);
        await peer.AssertEndedAsync();
    }

    /// <summary>MQTT-3.4.2-1, 3.5.2-1: a refusal that the answer can tell costs nobody the connection; where nothing is
    /// answered, nothing is said. The node's own figures stay as they are.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(0, 100)]
    [InlineData(1, 100)]
    [InlineData(2, 100)]
    public async Task A_publish_below_SYS_is_refused_and_the_connection_goes_on(int qos, int expiry)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", expiry: (uint)expiry);
        await client.SubscribeAsync("$SYS/broker/version");
        await client.TakePublishAsync();
        for (int i = 0; i < 3; i++)
        {
            await client.SendPublishAsync("$SYS/broker/version", "forged", qos, retain: true, id: 7);
            if (qos > 0)
            {
                PacketType answer = qos == 1 ? PacketType.PubAck : PacketType.PubRec;
                Assert.Equal(ReasonCode.TopicNameInvalid, await client.ExpectAckAsync(answer, 7));
            }
        }

        await client.AckAsync(PacketType.PubRel, 7);
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, await client.ExpectAckAsync(PacketType.PubComp, 7));
        await client.SubscribeAsync("$SYS/broker/version");
        Assert.StartsWith("pillarbox", (await client.TakePublishAsync()).Body, StringComparison.Ordinal);
        await client.AssertQuietAsync();
    }

    /// <summary>3.1.1: MQTT-3.3.5-2. A message that has an answer is not said to be taken when it is not.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_publish_below_SYS_ends_a_connection_that_cannot_be_told(int qos)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", MqttVersion.V311);
        await client.SendPublishAsync("$SYS/broker/version", "forged", qos);
        if (qos == 0)
        {
            await client.AssertQuietAsync();
        }
        else
        {
            await client.AssertEndedAsync();
        }
    }

    /// <summary>3.1.1: MQTT-3.1.3-8; in 3.1 an identifier is never empty.</summary>
    [Theory]
    [InlineData(3, true, 2)]
    [InlineData(4, false, 2)]
    [InlineData(4, true, 0)]
    [InlineData(5, false, 0)]
    public async Task An_identifier_may_be_empty_where_the_session_can_be_told_it(byte version, bool clean, int code)
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer((MqttVersion)version);
        await peer.SendAsync(to => new ConnectPacket { Version = (MqttVersion)version, CleanStart = clean }.Write(to));
        Assert.Equal([0, (byte)code], (await peer.TakeAsync()).Body[..2]);
    }

    private static Func<ConnectPacket, ConnectPacket> WithWill(string topic) => connect => connect with
    {
        Will = new WillMessage { Topic = topic, Payload = Encoding.UTF8.GetBytes("gone") },
    };
}
