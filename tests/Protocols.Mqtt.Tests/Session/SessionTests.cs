using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Sessions that outlive their connection, and restarts of the node (MQTT 5.0 §3.1.2.4, §3.1.2.11.2,
/// §4.1, §4.4).</summary>
public sealed class SessionTests
{
    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public async Task Messages_wait_for_a_session_also_over_a_restart(byte version, int qos)
    {
        await using var scene = new MqttScene();
        MqttPeer sleeper = await SleeperAsync(scene, (MqttVersion)version);
        Assert.False(sleeper.Admission.SessionPresent);
        await sleeper.SubscribeAsync("t/#", qos);
        await sleeper.DisconnectAsync();
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("t/1", "one", qos);
        await scene.RestartAsync();
        from = await scene.ConnectAsync("from");
        await from.PublishAsync("t/2", "two", qos);
        sleeper = await SleeperAsync(scene, (MqttVersion)version);
        Assert.True(sleeper.Admission.SessionPresent);
        Received[] got = [await sleeper.TakePublishAsync(), await sleeper.TakePublishAsync()];
        Assert.Equal([("one", qos), ("two", qos)], got.Select(one => (one.Body, one.Qos)));
        foreach (Received one in got)
        {
            await PublishTests.FinishAsync(sleeper, one);
        }

        await sleeper.AssertQuietAsync();
    }

    [Fact]
    public async Task A_message_without_an_answer_is_sent_again_under_its_identifier()
    {
        await using var scene = new MqttScene();
        MqttPeer sleeper = await SleeperAsync(scene);
        await sleeper.SubscribeAsync("t", 2);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 2);
        Received first = await sleeper.TakePublishAsync();
        Assert.False(first.Dup);
        await sleeper.CutAsync();
        sleeper = await SleeperAsync(scene);
        Received again = await sleeper.TakePublishAsync();
        Assert.Equal((first.Id, "x", true), (again.Id, again.Body, again.Dup));
        await scene.RestartAsync();
        sleeper = await SleeperAsync(scene);
        Assert.Equal(first.Id, (await sleeper.TakePublishAsync()).Id);
    }

    /// <summary>The client remembers its identifier: were the message lost with the power, another one that comes to
    /// bear the identifier would be taken for it.</summary>
    [Fact]
    public async Task A_message_of_qos_2_goes_out_when_it_is_on_disk()
    {
        using var gate = new ManualResetEventSlim();
        var disk = new RecordingFileSystem();
        await using var scene = new MqttScene(files: disk);
        MqttPeer once = await SleeperAsync(scene);
        await once.SubscribeAsync("t", 2);
        MqttPeer early = await scene.ConnectAsync("early", expiry: 1000);
        await early.SubscribeAsync("t", 1);
        MqttPeer from = await scene.ConnectAsync("from");
        disk.Syncing = gate.Wait;
        await from.SendPublishAsync("t", "x", 2);
        Received first = await early.TakePublishAsync();
        try
        {
            await once.AssertQuietAsync();
        }
        finally
        {
            gate.Set();
        }

        Received second = await once.TakePublishAsync();
        Assert.Equal(("x", 1, "x", 2), (first.Body, first.Qos, second.Body, second.Qos));
    }

    [Fact]
    public async Task A_message_that_the_client_has_received_is_released_and_never_sent_again()
    {
        await using var scene = new MqttScene();
        MqttPeer sleeper = await SleeperAsync(scene);
        await sleeper.SubscribeAsync("t", 2);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 2);
        Received got = await sleeper.TakePublishAsync();
        await sleeper.AckAsync(PacketType.PubRec, got.Id);
        await sleeper.ExpectAckAsync(PacketType.PubRel, got.Id);
        await scene.RestartAsync();
        sleeper = await SleeperAsync(scene);
        await sleeper.ExpectAckAsync(PacketType.PubRel, got.Id);
        await sleeper.AckAsync(PacketType.PubComp, got.Id);
        await sleeper.AssertQuietAsync();
        await scene.RestartAsync();
        sleeper = await SleeperAsync(scene);
        await sleeper.AssertQuietAsync();
    }

    [Fact]
    public async Task An_identifier_of_qos_2_is_known_after_a_restart_until_it_is_released()
    {
        await using var scene = new MqttScene();
        MqttPeer reader = await SleeperAsync(scene);
        await reader.SubscribeAsync("t", 1);
        await reader.CutAsync();
        MqttPeer from = await scene.ConnectAsync("from", clean: false, expiry: 1000);
        await from.SendPublishAsync("t", "once", qos: 2, id: 9);
        await from.ExpectAckAsync(PacketType.PubRec, 9);
        await scene.RestartAsync();
        from = await scene.ConnectAsync("from", clean: false, expiry: 1000);
        Assert.True(from.Admission.SessionPresent);
        await from.SendPublishAsync("t", "once", qos: 2, id: 9, dup: true);
        await from.ExpectAckAsync(PacketType.PubRec, 9);
        await from.AckAsync(PacketType.PubRel, 9);
        Assert.Equal(ReasonCode.Success, await from.ExpectAckAsync(PacketType.PubComp, 9));
        await from.SendPublishAsync("t", "another", qos: 2, id: 9);
        await from.ExpectAckAsync(PacketType.PubRec, 9);
        reader = await SleeperAsync(scene);
        Assert.Equal("once", (await reader.TakePublishAsync()).Body);
        Assert.Equal("another", (await reader.TakePublishAsync()).Body);
        await reader.AssertQuietAsync();
    }

    [Fact]
    public async Task A_clean_start_ends_the_session_that_was_there()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await SleeperAsync(scene);
        await client.SubscribeAsync("t", 1);
        await client.CutAsync();
        await (await scene.ConnectAsync("from")).PublishAsync("t", "lost", 1);
        client = await scene.ConnectAsync("sleeper", clean: true, expiry: 1000);
        Assert.False(client.Admission.SessionPresent);
        await client.AssertQuietAsync();
        await client.CutAsync();
        client = await SleeperAsync(scene);
        Assert.True(client.Admission.SessionPresent);
    }

    [Fact]
    public async Task A_session_without_expiry_ends_with_its_connection()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", clean: false);
        await client.SubscribeAsync("t", 1);
        await client.CutAsync();
        Assert.False((await scene.ConnectAsync("c", clean: false)).Admission.SessionPresent);
    }

    [Fact]
    public async Task A_session_ends_when_its_time_is_over()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", clean: false, expiry: 100);
        await client.SubscribeAsync("t", 1);
        await client.CutAsync();
        scene.Clock.Advance(101_000);
        for (int i = 0; i < 300 && HasSession(scene); i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        Assert.False(HasSession(scene));
        Assert.False((await scene.ConnectAsync("c", clean: false)).Admission.SessionPresent);
    }

    [Fact]
    public async Task A_goodbye_may_change_how_long_the_session_lives()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await SleeperAsync(scene);
        await client.DisconnectAsync(expiry: 0);
        client = await SleeperAsync(scene);
        Assert.False(client.Admission.SessionPresent);
        await client.DisconnectAsync(expiry: 10);
        Assert.True((await SleeperAsync(scene)).Admission.SessionPresent);
        client = await scene.ConnectAsync("short");
        await client.SendAsync(to => new DisconnectPacket { SessionExpiry = 5 }.Write(to, MqttVersion.V5));
        Assert.Equal(ReasonCode.ProtocolError, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task What_was_unsubscribed_stays_so_after_a_restart()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await SleeperAsync(scene);
        await client.SubscribeAsync("a", 1);
        await client.SubscribeAsync("b", 1);
        Assert.Equal([ReasonCode.Success], await client.UnsubscribeAsync("a"));
        Assert.Equal([ReasonCode.NoSubscriptionExisted], await client.UnsubscribeAsync("a"));
        await scene.RestartAsync();
        MqttPeer from = await scene.ConnectAsync("from");
        await from.PublishAsync("a", "no", 1);
        await from.PublishAsync("b", "yes", 1);
        client = await SleeperAsync(scene);
        Assert.Equal("yes", (await client.TakePublishAsync()).Body);
        await client.AssertQuietAsync();
    }

    [Fact]
    public async Task A_client_that_comes_twice_takes_its_session_over()
    {
        await using var scene = new MqttScene();
        MqttPeer first = await SleeperAsync(scene);
        await first.SubscribeAsync("t", 1);
        await (await scene.ConnectAsync("from")).PublishAsync("t", "x", 1);
        Received got = await first.TakePublishAsync();
        MqttPeer second = await SleeperAsync(scene);
        Assert.True(second.Admission.SessionPresent);
        Assert.Equal(ReasonCode.SessionTakenOver, await first.ExpectEndAsync());
        Received again = await second.TakePublishAsync();
        Assert.Equal((got.Id, "x"), (again.Id, again.Body));
    }

    private static bool HasSession(MqttScene scene) =>
        scene.Broker.Management.GetNodeAsync().Result.Queues > 1;

    private static Task<MqttPeer> SleeperAsync(MqttScene scene, MqttVersion version = MqttVersion.V5) =>
        scene.ConnectAsync("sleeper", version, clean: false, expiry: version == MqttVersion.V5 ? 1000u : 0);
}
