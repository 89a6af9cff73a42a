using System.Collections.Concurrent;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Wills (MQTT 5.0 §3.1.2.5, §3.1.3.2.2, §3.14).</summary>
public sealed class WillTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_will_is_published_when_the_connection_is_cut(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await WatcherAsync(scene);
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version, with: WithWill(0));
        await client.CutAsync();
        Received got = await watcher.TakePublishAsync();
        Assert.Equal(("will", "gone", 1), (got.Topic, got.Body, got.Qos));
    }

    [Fact]
    public async Task A_goodbye_takes_the_will_away_unless_it_asks_for_it()
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await WatcherAsync(scene);
        MqttPeer client = await scene.ConnectAsync("c", with: WithWill(0));
        await client.DisconnectAsync();
        await watcher.AssertQuietAsync();
        client = await scene.ConnectAsync("c", with: WithWill(0));
        await client.DisconnectAsync(ReasonCode.DisconnectWithWill);
        Assert.Equal("gone", (await watcher.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task A_delayed_will_comes_late_and_not_when_the_session_goes_on()
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await WatcherAsync(scene);
        MqttPeer client = await scene.ConnectAsync("c", clean: false, expiry: 1000, with: WithWill(60));
        await client.CutAsync();
        await watcher.AssertQuietAsync();
        client = await scene.ConnectAsync("c", clean: false, expiry: 1000, with: WithWill(60));
        scene.Clock.Advance(61_000);
        await watcher.AssertQuietAsync();
        await client.CutAsync();
        await watcher.AssertQuietAsync();
        scene.Clock.Advance(61_000);
        Assert.Equal("gone", (await watcher.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task A_delayed_will_outlives_the_node()
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await scene.ConnectAsync("watcher", expiry: 6000);
        await watcher.SubscribeAsync("will", 1);
        await (await scene.ConnectAsync("c/#+", clean: false, expiry: 1000, with: WithWill(60))).CutAsync();
        await (await scene.ConnectAsync("back", clean: false, expiry: 1000, with: WithWill(60))).CutAsync();
        await scene.RestartAsync();
        watcher = await scene.ConnectAsync("watcher", clean: false, expiry: 6000);
        await watcher.AssertQuietAsync();
        await scene.ConnectAsync("back", clean: false, expiry: 1000);
        await scene.RestartAsync();
        watcher = await scene.ConnectAsync("watcher", clean: false, expiry: 6000);
        await watcher.AssertQuietAsync();
        scene.Clock.Advance(61_000);
        Received will = await watcher.TakePublishAsync();
        Assert.Equal(("will", "gone", 1), (will.Topic, will.Body, will.Qos));
        await watcher.AckAsync(PacketType.PubAck, will.Id);
        scene.Clock.Advance(61_000);
        await watcher.AssertQuietAsync();
        await scene.RestartAsync();
        scene.Clock.Advance(61_000);
        watcher = await scene.ConnectAsync("watcher", clean: false, expiry: 6000);
        await watcher.AssertQuietAsync();
    }

    [Fact]
    public async Task The_end_of_the_session_brings_a_delayed_will_at_once()
    {
        await using var scene = new MqttScene();
        MqttPeer watcher = await WatcherAsync(scene);
        MqttPeer client = await scene.ConnectAsync("c", clean: false, expiry: 1000, with: WithWill(600));
        await client.CutAsync();
        await watcher.AssertQuietAsync();
        await scene.ConnectAsync("c", clean: true);
        Assert.Equal("gone", (await watcher.TakePublishAsync()).Body);
        client = await scene.ConnectAsync("d", with: WithWill(600));
        await client.CutAsync();
        Assert.Equal("gone", (await watcher.TakePublishAsync()).Body);
    }

    [Fact]
    public async Task A_will_may_be_retained()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", with: c => WithWill(0)(c) with
        {
            Will = new WillMessage { Topic = "will", Payload = "gone"u8.ToArray(), Retain = true },
        });
        await client.CutAsync();
        MqttPeer later = await scene.ConnectAsync("later");
        await later.SubscribeAsync("will");
        Assert.True((await later.TakePublishAsync()).Retain);
    }

    /// <summary>Power goes at each sync after the will was due, with more and more of what was not synced there.
    /// </summary>
    [Fact]
    public async Task A_will_that_is_due_comes_once_whenever_the_power_goes()
    {
        var disk = new RecordingFileSystem();
        var images = new ConcurrentQueue<MemoryFileSystem>();
        await using (var scene = new MqttScene(files: disk))
        {
            MqttPeer watcher = await scene.ConnectAsync("watcher", expiry: 6000);
            await watcher.SubscribeAsync("will", 1);
            await (await scene.ConnectAsync("c", clean: false, expiry: 1000, with: WithWill(60, 1500))).CutAsync();
            await scene.RestartAsync();
            disk.Syncing = () =>
            {
                for (int sectors = 0; sectors <= TornSectorsMax; sectors++)
                {
                    images.Enqueue(disk.MakeCrashImage(new Torn(sectors)));
                }
            };
            await ExpectOneAsync(scene, "before");
            disk.Syncing = null;
        }

        Assert.NotEmpty(images);
        // Each waits for the node's clock to tick.
        await Parallel.ForEachAsync(images, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (image, _) =>
        {
            await using var scene = new MqttScene(files: image);
            await ExpectOneAsync(scene, "after");
        });
    }

    [Fact]
    public async Task A_delayed_will_that_its_user_may_not_publish_is_neither_published_nor_retained()
    {
        await using var scene = new MqttScene(security: new SecurityConfig
        {
            Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
            {
                ["#"] = new Dictionary<string, Permission> { ["anonymous"] = Permission.Send | Permission.Consume },
                ["will"] = new Dictionary<string, Permission> { ["anonymous"] = Permission.Consume },
            },
        });
        MqttPeer watcher = await WatcherAsync(scene);
        foreach (uint delay in new uint[] { 60, 0 })
        {
            MqttPeer client = await scene.ConnectAsync("c", expiry: 1000, with: c => WithWill(delay)(c) with
            {
                Will = new WillMessage
                {
                    Topic = "will",
                    Payload = "gone"u8.ToArray(),
                    Qos = 1,
                    Retain = true,
                    DelayInterval = delay,
                },
            });
            await client.CutAsync();
            scene.Clock.Advance(61_000);
            await watcher.AssertQuietAsync();
        }

        await scene.RestartAsync();
        scene.Clock.Advance(61_000);
        MqttPeer later = await scene.ConnectAsync("later");
        await later.SubscribeAsync("will");
        await later.AssertQuietAsync();
    }

    // The one who watches was away. Wills of others mark that what was due before has come: each comes a tick later.
    private static async Task ExpectOneAsync(MqttScene scene, string when)
    {
        MqttPeer watcher = await scene.ConnectAsync("watcher", clean: false, expiry: 6000);
        int wills = 0;
        for (int mark = 0; mark < 2; mark++)
        {
            string name = $"{when} {mark}";
            MqttPeer other = await scene.ConnectAsync(name, clean: false, expiry: 1000, with: c => c with
            {
                Will = new WillMessage
                {
                    Topic = "will",
                    Payload = Encoding.UTF8.GetBytes(name),
                    Qos = 1,
                    DelayInterval = 1,
                },
            });
            await other.CutAsync();
            scene.Clock.Advance(61_000);
            for (string body = ""; body != name;)
            {
                body = (await watcher.TakePublishAsync()).Body;
                wills += body[0] == '\0' ? 1 : 0;
            }
        }

        Assert.Equal(1, wills);
    }

    private const int TornSectorsMax = 12;

    // All changes before the last survive, and of the last so many sectors.
    private sealed class Torn(int sectors) : ICrashChoice
    {
        private bool _isLast;

        public int ChooseEntries(int changes) => changes;

        public bool ChooseChange(int index, int count)
        {
            _isLast = index == count - 1;
            return true;
        }

        public bool ChooseSector(int index, int count) => !_isLast || index < sectors;
    }

    private static Func<ConnectPacket, ConnectPacket> WithWill(uint delay, int bytes) => connect => connect with
    {
        Will = new WillMessage { Topic = "will", Payload = new byte[bytes], Qos = 1, DelayInterval = delay },
    };

    private static Func<ConnectPacket, ConnectPacket> WithWill(uint delay) => connect => connect with
    {
        Will = new WillMessage { Topic = "will", Payload = "gone"u8.ToArray(), Qos = 1, DelayInterval = delay },
    };

    private static async Task<MqttPeer> WatcherAsync(MqttScene scene)
    {
        MqttPeer watcher = await scene.ConnectAsync("watcher");
        await watcher.SubscribeAsync("will", 1);
        return watcher;
    }
}
