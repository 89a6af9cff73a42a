using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Messages of QoS 2 whose delivery has begun, and which are gone, or wanted no more, before it ends (MQTT 5.0
/// §4.3.3, §3.10.4): the client may remember the packet identifier. The node has one identifier only.</summary>
public sealed class SentTests
{
    private static readonly MqttOptions OneIdentifier = new() { AllowAnyPassword = true, PacketIdMax = 1 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_identifier_of_a_message_that_is_gone_is_released_before_another_one_bears_it(bool isRestarted)
    {
        await using var scene = new MqttScene(OneIdentifier);
        await LeaveAsync(scene);
        string queue = SessionNames.Queue("sleeper");
        Assert.Equal(1, await scene.Broker.Management.PurgeAsync(Identity.Node, "default", queue));
        await (await scene.ConnectAsync("from")).PublishAsync("t", "new", 2);
        if (isRestarted)
        {
            await scene.RestartAsync();
        }

        await ExpectReleasedAsync(await SleeperAsync(scene), "new");
    }

    [Fact]
    public async Task What_was_sent_does_not_expire()
    {
        await using var scene = new MqttScene(OneIdentifier);
        await LeaveAsync(scene, expirySeconds: 5);
        scene.Clock.Advance(6000);
        MqttPeer sleeper = await SleeperAsync(scene);
        Received again = await sleeper.TakeAnsweredAsync();
        Assert.Equal(("old", true), (again.Body, again.Dup));
        Assert.Equal(1u, again.All.Single(p => p.Id == PropertyId.MessageExpiryInterval).Number);
        await sleeper.AssertQuietAsync();
    }

    /// <summary>The node forgets over a restart that it was sent, but not its identifier.</summary>
    [Fact]
    public async Task What_was_sent_and_expires_after_a_restart_has_its_identifier_released()
    {
        await using var scene = new MqttScene(OneIdentifier);
        await LeaveAsync(scene, expirySeconds: 5);
        await scene.RestartAsync();
        scene.Clock.Advance(6000);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "new", 2);
        await ExpectReleasedAsync(await SleeperAsync(scene), "new");
    }

    [Fact]
    public async Task A_message_that_was_not_sent_expires_though_others_were()
    {
        await using var scene = new MqttScene(OneIdentifier);
        await LeaveAsync(scene);
        MqttPeer from = await scene.ConnectAsync("from");
        ushort id = await from.SendPublishAsync(
            "t", "late", 2, with: to => to.Add(PropertyId.MessageExpiryInterval, 5));
        await from.ExpectAckAsync(PacketType.PubRec, id);
        scene.Clock.Advance(6000);
        MqttPeer sleeper = await SleeperAsync(scene);
        Assert.Equal("old", (await sleeper.TakeAnsweredAsync()).Body);
        await sleeper.AssertQuietAsync();
    }

    [Fact]
    public async Task What_was_sent_is_brought_to_its_end_though_its_subscription_is_gone()
    {
        await using var scene = new MqttScene(OneIdentifier);
        MqttPeer sleeper = await SleeperAsync(scene);
        await sleeper.SubscribeAsync("t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("t", "old", 2);
        await from.PublishAsync("t", "waits", 2);
        Assert.Equal("old", (await sleeper.TakePublishAsync()).Body);
        await sleeper.UnsubscribeAsync("t");
        await sleeper.CutAsync();
        sleeper = await SleeperAsync(scene);
        Received again = await sleeper.TakeAnsweredAsync();
        Assert.Equal(("old", true), (again.Body, again.Dup));
        await sleeper.AssertQuietAsync();
    }

    [Fact]
    public async Task One_that_the_client_refuses_frees_its_identifier()
    {
        await using var scene = new MqttScene(OneIdentifier);
        MqttPeer sleeper = await SleeperAsync(scene);
        await sleeper.SubscribeAsync("t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("t", "refused", 2);
        await from.PublishAsync("t", "taken", 2);
        Received refused = await sleeper.TakePublishAsync();
        await sleeper.AckAsync(PacketType.PubRec, refused.Id, ReasonCode.ImplementationSpecificError);
        Assert.Equal("taken", (await sleeper.TakeAnsweredAsync()).Body);
        await sleeper.CutAsync();
        await (await SleeperAsync(scene)).AssertQuietAsync();
    }

    [Fact]
    public async Task Many_go_out_before_the_first_is_answered_and_in_their_order()
    {
        await using var scene = new MqttScene();
        MqttPeer sleeper = await SleeperAsync(scene);
        await sleeper.SubscribeAsync("t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        string[] sent = [.. Enumerable.Range(0, 60).Select(i => $"{i}")];
        foreach (string body in sent)
        {
            await from.PublishAsync("t", body, int.Parse(body) % 7 == 0 ? 1 : 2);
        }

        List<Received> got = [];
        while (got.Count < sent.Length)
        {
            got.Add(await sleeper.TakePublishAsync());
        }

        Assert.Equal(sent, got.Select(one => one.Body));
        Assert.Equal(got.Count, got.Select(one => one.Id).Distinct().Count());
    }

    /// <summary>A program that kept identifiers only from PUBREC on has written it.</summary>
    [Fact]
    public void An_older_record_of_a_released_identifier_is_of_a_message_that_is_gone()
    {
        Assert.True(StateRecord.TryRead([(byte)StateKind.Released, 1, 0, 9], out StateRecord record));
        Assert.Equal((StateKind.Sent, 9, default(MessageKey)), (record.Kind, record.PacketId, record.Message));
    }

    // A message is sent, and the client goes without an answer.
    private static async Task LeaveAsync(MqttScene scene, uint expirySeconds = 0)
    {
        MqttPeer sleeper = await SleeperAsync(scene);
        await sleeper.SubscribeAsync("t", 2);
        MqttPeer from = await scene.ConnectAsync("from");
        await from.SendPublishAsync("t", "old", 2, with: to =>
        {
            if (expirySeconds > 0)
            {
                to.Add(PropertyId.MessageExpiryInterval, expirySeconds);
            }
        });
        Assert.Equal(("old", 1), (await sleeper.TakePublishAsync()) is var got ? (got.Body, got.Id) : default);
        await sleeper.CutAsync();
    }

    private static async Task ExpectReleasedAsync(MqttPeer sleeper, string next)
    {
        await sleeper.ExpectAckAsync(PacketType.PubRel, 1);
        await sleeper.AssertQuietAsync();
        await sleeper.AckAsync(PacketType.PubComp, 1, ReasonCode.PacketIdentifierNotFound);
        Received got = await sleeper.TakeAnsweredAsync();
        Assert.Equal((next, 1, false), (got.Body, (int)got.Id, got.Dup));
        await sleeper.AssertQuietAsync();
    }

    private static Task<MqttPeer> SleeperAsync(MqttScene scene) =>
        scene.ConnectAsync("sleeper", clean: false, expiry: 1000);
}
