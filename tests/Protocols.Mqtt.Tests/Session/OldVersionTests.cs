using System.Buffers;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Statements of MQTT 3.1.1, by its numbers, and rules of 3.1 that 5.0 does not have, or has otherwise.
/// </summary>
public sealed class OldVersionTests
{
    /// <summary>MQTT-2.2.2-2, 3.1.2-3, -13..15, -22, 3.1.4-1, 3.2.2-6: what is no CONNECT is not answered.</summary>
    [Theory]
    [InlineData("10 0D 0004 4D515454 04 03 0000 0001 61")] // reserved connect flag
    [InlineData("10 0D 0004 4D515454 04 0A 0000 0001 61")] // will QoS without will
    [InlineData("10 0D 0004 4D515454 04 22 0000 0001 61")] // will retain without will
    [InlineData("10 13 0004 4D515454 04 1E 0000 0001 61 0001 61 0001 61")] // will QoS 3
    [InlineData("10 13 0004 4D515454 04 06 0000 0001 61 0001 23 0001 61")] // a wildcard in the will's topic
    [InlineData("10 10 0004 4D515454 04 42 0000 0001 61 0001 61")] // a password without a user name
    [InlineData("10 0D 0004 4D515454 04 82 0000 0001 61")] // no user name though its flag is set
    [InlineData("10 0E 0004 4D515454 04 02 0000 0001 61 00")] // more than a CONNECT
    [InlineData("10 0D 0004 4D515454 04 02 0000 0001 00")] // U+0000 in the client identifier
    [InlineData("18 0D 0004 4D515454 04 02 0000 0001 61")] // flags of the fixed header
    [InlineData("10 0D 0004 4D515455 04 02 0000 0001 61")] // another protocol
    public async Task What_is_no_CONNECT_is_not_answered(string hex)
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer(MqttVersion.V311);
        await peer.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        await peer.AssertEndedAsync();
    }

    /// <summary>MQTT-3.1.2-2, 3.1.3-8, -9, 3.1.4-5, 3.2.2-4, -5: the nearest code, no session, and nothing of what came
    /// behind.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_refusal_has_a_return_code(byte version)
    {
        using UserStore users = Users();
        await using var scene = new MqttScene(new MqttOptions { AllowAnonymous = false }, null, users);
        var good = new ConnectPacket
        {
            Version = (MqttVersion)version,
            ClientId = "c",
            CleanStart = true,
            UserName = "ann",
            Password = "right"u8.ToArray(),
        };
        var forged = new WillMessage { Topic = "$SYS/broker/version" };
        Assert.Equal(0, await ReturnCodeAsync(scene, good));
        Assert.Equal(2, await ReturnCodeAsync(scene, good with { ClientId = new string('c', 600) }));
        Assert.Equal(2, await ReturnCodeAsync(scene, good with { ClientId = "", CleanStart = false }));
        Assert.Equal(4, await ReturnCodeAsync(scene, good with { Password = "wrong"u8.ToArray() }));
        Assert.Equal(5, await ReturnCodeAsync(scene, good with { UserName = null, Password = null }));
        Assert.Equal(5, await ReturnCodeAsync(scene, good with { Will = forged }));
        await using var other = new MqttScene(new MqttOptions { ServerReference = "other:1883" });
        Assert.Equal(3, await ReturnCodeAsync(other, good));
        Assert.Equal(1, await ReturnCodeAsync(other, good with { Version = (MqttVersion)6 }));
    }

    /// <summary>MQTT-3.1.3-5: up to 23 of these characters; here more may come, in 3.1 too.</summary>
    [Theory]
    [InlineData(3, "0123456789abcdefghijklm")]
    [InlineData(3, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")]
    [InlineData(4, "nopqrstuvwxyzABCDEFGHIJ")]
    [InlineData(4, "KLMNOPQRSTUVWXYZ")]
    public async Task A_client_identifier_of_plain_characters_is_taken(byte version, string id)
    {
        await using var scene = new MqttScene();
        await scene.ConnectAsync(id, (MqttVersion)version);
    }

    /// <summary>MQTT-3.1.2-4..7, 3.1.4-3, 3.2.2-1..3, 4.1.0-1; 3.1 has nothing to say of the session.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_clean_session_begins_without_the_past_and_leaves_nothing(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer from = await scene.ConnectAsync("from");
        MqttPeer client = await ComeAsync(scene, version, clean: true, isPresent: false);
        await client.SubscribeAsync("t", 1);
        await client.CutAsync();
        await from.PublishAsync("t", "nobody's", 1);
        client = await ComeAsync(scene, version, clean: false, isPresent: false);
        await client.AssertQuietAsync();
        await client.SubscribeAsync("t", 1);
        await client.DisconnectAsync();
        await from.PublishAsync("t", "kept", 1);
        await from.PublishAsync("t", "kept and retained", 1, retain: true);
        client = await ComeAsync(scene, version, clean: false, isPresent: true);
        Assert.Equal("kept", (await client.TakeAnsweredAsync()).Body);
        Received got = await client.TakeAnsweredAsync();
        Assert.Equal(("kept and retained", false), (got.Body, got.Retain));
        await client.CutAsync();
        client = await ComeAsync(scene, version, clean: true, isPresent: false);
        await from.PublishAsync("t", "nobody's", 1);
        await client.AssertQuietAsync();
        await client.CutAsync();
        client = await ComeAsync(scene, version, clean: false, isPresent: false);
        await client.SubscribeAsync("t", 1);
        Assert.True((await client.TakePublishAsync()).Retain);
    }

    /// <summary>MQTT-3.1.2-8, -24: there is nobody to tell another time than its own; 0 is none.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_client_keeps_the_time_that_it_says(byte version)
    {
        await using var scene = new MqttScene(new MqttOptions { KeepAliveSecondsMax = 5 });
        MqttPeer watcher = await scene.ConnectAsync("watcher", MqttVersion.V311);
        await watcher.SubscribeAsync("will");
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version, with: connect => connect with
        {
            KeepAlive = 10,
            Will = new WillMessage { Topic = "will", Payload = "gone"u8.ToArray() },
        });
        scene.Clock.Advance(14_000);
        await client.AssertQuietAsync();
        scene.Clock.Advance(16_000);
        await client.AssertEndedAsync();
        Assert.Equal("gone", (await watcher.TakePublishAsync()).Body);
    }

    /// <summary>MQTT-3.14.4-3.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_goodbye_takes_the_will_away(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await scene.ConnectAsync("watcher");
        await watcher.SubscribeAsync("will");
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version, with: connect => connect with
        {
            Will = new WillMessage { Topic = "will", Payload = "gone"u8.ToArray(), Qos = 1, Retain = true },
        });
        await client.SendAsync([0xE0, 0]);
        await client.AssertEndedAsync();
        await watcher.AssertQuietAsync();
    }

    /// <summary>MQTT-3.1.4-2: who is replaced hears no packet that its version does not have.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Who_comes_twice_is_cut_off_without_a_word(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer first = await scene.ConnectAsync("c", (MqttVersion)version);
        MqttPeer second = await scene.ConnectAsync("c", (MqttVersion)version);
        await first.AssertEndedAsync();
        await second.AssertQuietAsync();
    }

    /// <summary>MQTT-3.8.4-5, 3.9.3-1, -2: of a refusal no more than 0x80 is said. A client of 3.1 that looks at the
    /// two bits that it knows finds QoS 0 there.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_filter_is_granted_or_refused_with_0x80(byte version)
    {
        await using var scene = new MqttScene(
            new MqttOptions { SubscriptionsMax = 3 }, new SecurityConfig { Permissions = OpenOnly() });
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version);
        (string, byte)[] filters =
            [("open/a", 0), ("open/b", 1), ("a#", 1), ("secret", 2), ("open/c", 2), ("open/d", 2), ("open/a", 1)];
        await client.SendAsync(to => SubscribePacket.Write(to, client.Version, 1, 0, filters));
        (_, byte[] body) = await client.TakeAsync();
        Assert.Equal([0, 1, 0, 1, 0x80, 0x80, 2, 0x80, 1], body);
    }

    /// <summary>MQTT-3.6.1-1, 3.10.4-4, -5, 4.3.3-2: an answer is a packet identifier and no more.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task An_answer_says_no_reason(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version);
        await client.SendAsync([0x62, 2, 0, 9]);
        Assert.Equal("70-02-00-09", await NextAsync(client));
        await client.SendAsync([0x50, 2, 0, 9]);
        Assert.Equal("62-02-00-09", await NextAsync(client));
        await client.SendAsync([0xA2, 5, 0, 9, 0, 1, 0x61]);
        Assert.Equal("B0-02-00-09", await NextAsync(client));
        // Nobody listens: 5.0 would say so.
        await client.SendPublishAsync("t", "x", 1, id: 9);
        Assert.Equal("40-02-00-09", await NextAsync(client));
        await client.SendPublishAsync("t", "x", 2, id: 10);
        Assert.Equal("50-02-00-0A", await NextAsync(client));
    }

    /// <summary>MQTT-3.3.5-2 leaves it to the server; in 3.1 a client is never told by an end that it may not publish.
    /// </summary>
    [Theory]
    [InlineData("secret/t", 0)]
    [InlineData("secret/t", 1)]
    [InlineData("secret/t", 2)]
    [InlineData("$SYS/broker/version", 1)]
    [InlineData("$SYS/broker/version", 2)]
    public async Task What_a_client_of_3_1_may_not_publish_is_acknowledged_and_dropped(string topic, int qos)
    {
        await using var scene = new MqttScene(new MqttOptions(), new SecurityConfig { Permissions = OpenOnly() });
        foreach (bool clean in new[] { true, false })
        {
            MqttPeer client = await scene.ConnectAsync("c", MqttVersion.V31, clean);
            for (int i = 0; i < 3; i++)
            {
                await client.PublishAsync(topic, "forbidden", qos, retain: true);
            }

            await client.AssertQuietAsync();
            await client.CutAsync();
        }

        MqttPeer strict = await scene.ConnectAsync("c", MqttVersion.V311);
        await strict.SendPublishAsync(topic, "forbidden", qos, retain: true);
        if (qos == 0)
        {
            await strict.AssertQuietAsync();
        }
        else
        {
            await strict.AssertEndedAsync();
        }
    }

    /// <summary>MQTT-3.3.1-1, 4.4.0-1: PUBLISH and PUBREL go again, under their identifiers.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task What_has_no_answer_is_sent_again_to_a_client_that_comes_back(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await ComeAsync(scene, version, clean: false, isPresent: false);
        await client.SubscribeAsync("one", 1);
        await client.SubscribeAsync("two", 2);
        MqttPeer from = await scene.ConnectAsync("from", (MqttVersion)version);
        await from.PublishAsync("one", "1", 1);
        Received one = await client.TakePublishAsync();
        await from.PublishAsync("two", "2", 2);
        Received two = await client.TakePublishAsync();
        Assert.False(one.Dup || two.Dup);
        await client.CutAsync();
        client = await ComeAsync(scene, version, clean: false, isPresent: true);
        Received[] again = [await client.TakePublishAsync(), await client.TakePublishAsync()];
        Assert.Equal(
            [(one.Id, "1", true), (two.Id, "2", true)],
            again.OrderBy(got => got.Body).Select(got => (got.Id, got.Body, got.Dup)));
        await client.AckAsync(PacketType.PubAck, one.Id);
        await client.AckAsync(PacketType.PubRec, two.Id);
        await client.ExpectAckAsync(PacketType.PubRel, two.Id);
        await client.CutAsync();
        client = await ComeAsync(scene, version, clean: false, isPresent: true);
        await client.ExpectAckAsync(PacketType.PubRel, two.Id);
        await client.AckAsync(PacketType.PubComp, two.Id);
        await client.AssertQuietAsync();
    }

    /// <summary>MQTT-3.3.1-6..12, 3.8.4-3: the last one counts, also of QoS 0; it goes on as any other, and comes
    /// with each SUBSCRIBE.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_retained_message_comes_with_each_subscription(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version);
        await client.SubscribeAsync("t", 1);
        foreach ((string body, int qos, bool retain) in new[] { ("1", 1, true), ("2", 0, true), ("3", 0, false) })
        {
            await client.SendPublishAsync("t", body, qos, retain);
            if (qos > 0)
            {
                await TakeBothAsync(client, body);
            }
            else
            {
                Received got = await client.TakePublishAsync();
                Assert.Equal((body, false), (got.Body, got.Retain));
            }
        }

        await client.SubscribeAsync("t", 0);
        Received kept = await client.TakePublishAsync();
        Assert.Equal(("2", true, 0), (kept.Body, kept.Retain, kept.Qos));
        await client.SendPublishAsync("t", "", retain: true);
        Received empty = await client.TakePublishAsync();
        Assert.Equal(("", false), (empty.Body, empty.Retain));
        await client.SubscribeAsync("t", 0);
        await client.AssertQuietAsync();
    }

    /// <summary>MQTT-3.3.5-1, 3.8.4-6: with the best QoS of those that match, and once.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Of_several_filters_the_best_QoS_counts(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version);
        await client.SubscribeAsync("a/#", 0);
        await client.SubscribeAsync("a/+", 1);
        await client.SubscribeAsync("a/b", 0);
        MqttPeer from = await scene.ConnectAsync("from", (MqttVersion)version);
        await from.PublishAsync("a/b", "x", 2);
        Received got = await client.TakeAnsweredAsync();
        Assert.Equal(("x", 1), (got.Body, got.Qos));
        await client.AssertQuietAsync();
    }

    /// <summary>MQTT-3.8.3-4; in 3.1 those bits mean nothing.</summary>
    [Theory]
    [InlineData(0x03)]
    [InlineData(0x04)]
    [InlineData(0x08)]
    [InlineData(0x20)]
    [InlineData(0x80)]
    public async Task Options_of_a_subscription_are_of_5_0(byte options)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", MqttVersion.V311);
        await client.SendAsync([0x82, 6, 0, 9, 0, 1, 0x61, options]);
        await client.AssertEndedAsync();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task What_5_0_says_of_a_message_does_not_reach_who_does_not_know_it(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await ComeAsync(scene, version, clean: false, isPresent: false);
        await client.SubscribeAsync("t", 1);
        await client.CutAsync();
        MqttPeer from = await scene.ConnectAsync("from");
        foreach (uint seconds in new[] { 10u, 100u })
        {
            await from.SendPublishAsync("t", $"{seconds}", 1, with: to => to
                .Add(PropertyId.MessageExpiryInterval, seconds)
                .Add(PropertyId.ContentType, "text"));
            (FixedHeader header, _) = await from.TakeAsync();
            Assert.Equal(PacketType.PubAck, header.Type);
        }

        scene.Clock.Advance(20_000);
        client = await ComeAsync(scene, version, clean: false, isPresent: true);
        (FixedHeader got, byte[] body) = await client.TakeAsync();
        Assert.Equal(PacketType.Publish, got.Type);
        Assert.Equal("0001" + "74" + "****" + "313030", Convert.ToHexString(body[..3]) + "****"
            + Convert.ToHexString(body[5..]));
        await client.AckAsync(PacketType.PubAck, (ushort)((body[3] << 8) | body[4]));
        await client.AssertQuietAsync();
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Everybody_may_share_a_subscription(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer one = await scene.ConnectAsync("one", (MqttVersion)version);
        MqttPeer two = await scene.ConnectAsync("two");
        await one.SubscribeAsync("$share/g/t", 1);
        await two.SubscribeAsync("$share/g/t", 1);
        MqttPeer from = await scene.ConnectAsync("from", (MqttVersion)version);
        await from.PublishAsync("t", "1", 1);
        await from.PublishAsync("t", "2", 1);
        string[] got = [(await one.TakeAnsweredAsync()).Body, (await two.TakeAnsweredAsync()).Body];
        Assert.Equal(["1", "2"], got.Order());
    }

    /// <summary>The length takes precedence over the flags of user name and password: clients of the first version 3
    /// set them and leave both out.</summary>
    [Theory]
    [InlineData("10 0F 0006 4D5149736470 03 82 0000 0001 61")]
    [InlineData("10 0F 0006 4D5149736470 03 C2 0000 0001 61")]
    [InlineData("10 12 0006 4D5149736470 03 C2 0000 0001 61 0001 61")]
    public async Task A_user_name_may_be_missing_in_3_1_though_its_flag_is_set(string hex)
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer(MqttVersion.V31);
        await peer.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal("20-02-00-00", await NextAsync(peer));
    }

    /// <summary>Without a will its QoS and its retain flag mean nothing, nor do the bits beside a QoS that is asked
    /// for.</summary>
    [Fact]
    public async Task What_3_1_does_not_use_means_nothing()
    {
        await using var scene = new MqttScene();
        MqttPeer peer = scene.Peer(MqttVersion.V31);
        await peer.SendAsync(Convert.FromHexString("100F00064D514973647003" + "3B" + "0000000161"));
        Assert.Equal("20-02-00-00", await NextAsync(peer));
        await peer.SendAsync([0x82, 6, 0, 9, 0, 1, 0x61, 0xFD]);
        Assert.Equal("90-03-00-09-01", await NextAsync(peer));
    }

    private static async Task<MqttPeer> ComeAsync(MqttScene scene, byte version, bool clean, bool isPresent)
    {
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version, clean);
        Assert.Equal(isPresent && version > 3, client.Admission.SessionPresent);
        return client;
    }

    // Behind the CONNECT something comes that has no effect on a connection that is refused.
    private static async Task<int> ReturnCodeAsync(MqttScene scene, ConnectPacket connect)
    {
        MqttPeer peer = scene.Peer(connect.Version);
        var bytes = new ArrayBufferWriter<byte>();
        connect.Write(bytes);
        bytes.Write<byte>([0xC0, 0]);
        await peer.SendAsync(bytes.WrittenSpan.ToArray());
        (FixedHeader header, byte[] body) = await peer.TakeAsync();
        Assert.Equal((PacketType.ConnAck, 0), (header.Type, body[0]));
        if (body[1] == 0)
        {
            Assert.Equal(PacketType.PingResp, (await peer.TakeAsync()).Header.Type);
        }
        else
        {
            await peer.AssertEndedAsync();
        }

        return body[1];
    }

    private static async Task<string> NextAsync(MqttPeer peer)
    {
        (FixedHeader header, byte[] body) = await peer.TakeAsync();
        byte first = (byte)(((int)header.Type << 4) | header.Flags);
        return BitConverter.ToString([first, (byte)body.Length, .. body]);
    }

    // Its own message and the answer to it, in whatever order.
    private static async Task TakeBothAsync(MqttPeer client, string body)
    {
        for (int i = 0; i < 2; i++)
        {
            (FixedHeader header, byte[] bytes) = await client.TakeAsync();
            if (header.Type == PacketType.Publish)
            {
                PublishPacket packet = PublishPacket.Read(header.Flags, bytes, client.Version);
                Assert.Equal((body, false), (Encoding.UTF8.GetString(packet.Payload), packet.Retain));
                ushort id = packet.PacketId;
                await client.AckAsync(PacketType.PubAck, id);
            }
            else
            {
                Assert.Equal(PacketType.PubAck, header.Type);
            }
        }
    }

    private static Dictionary<string, IReadOnlyDictionary<string, Permission>> OpenOnly() => new()
    {
        ["open.#"] = new Dictionary<string, Permission> { ["anonymous"] = Permission.Send | Permission.Consume },
        ["secret.#"] = new Dictionary<string, Permission>(),
    };

    private static UserStore Users()
    {
        UserStore users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = new MemoryFileSystem(),
            Path = "users.json",
            PlainIterations = 1000,
            ScramIterations = 4096,
        });
        users.Add("ann", new Secret("right"u8.ToArray()), ["client"]);
        return users;
    }
}
