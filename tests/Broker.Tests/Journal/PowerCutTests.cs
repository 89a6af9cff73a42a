using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Journal;

/// <summary>Power goes at each sync of a story: what the disk holds then is started and looked at.</summary>
public sealed class PowerCutTests
{
    [Fact]
    public void A_message_that_compaction_moves_is_always_somewhere()
    {
        List<bool> found = Look(["old"], disk =>
        {
            using Scene scene = SceneOn(disk);
            Actor actor = scene.Connect();
            actor.Send("old", "the old one");
            Churn(scene, actor, rounds: 30);
        });
        Assert.InRange(found.IndexOf(true), 0, 50);
        Assert.DoesNotContain(false, found[found.IndexOf(true)..]);
    }

    [Fact]
    public void A_dead_letter_is_always_somewhere()
    {
        List<bool> found = Look(["old", "DLQ"], disk =>
        {
            using Scene scene = SceneOn(disk);
            Actor actor = scene.Connect();
            actor.Send("old", "the old one");
            Churn(scene, actor, rounds: 3);
            actor.Consume("old");
            actor.Client.Settle(actor.Deliveries[^1], new Outcome(OutcomeKind.Rejected));
            actor.Deliveries.Clear();
            Churn(scene, actor, rounds: 20);
        });
        Assert.InRange(found.IndexOf(true), 0, 50);
        Assert.DoesNotContain(false, found[found.IndexOf(true)..]);
    }

    /// <summary>Whether the message was in one of the queues, for each sync before which power might have
    /// gone.</summary>
    private static List<bool> Look(string[] queues, Action<RecordingFileSystem> story)
    {
        RecordingFileSystem disk = new();
        List<bool> found = [];
        disk.Syncing = () =>
        {
            MemoryFileSystem image = disk.MakeCrashImage(new Unsynced(false));
            found.Add(Array.Exists(queues, queue => Holds(image, queue)));
        };
        story(disk);
        return found;
    }

    private static Scene SceneOn(IFileSystem disk) => new(options => options with
    {
        FileSystem = disk,
        SegmentBytes = 64 << 10,
        SnapshotBytesMin = 128 << 10,
    });

    private static void Churn(Scene scene, Actor actor, int rounds)
    {
        Consumer consumer = actor.Consume(actor.Client.ResolveQueue(new AddressName("q", null), null), credit: 0);
        for (int round = 0; round < rounds; round++)
        {
            actor.Send("q", [.. Enumerable.Range(0, 50).Select(i => new string('x', 500))]);
            actor.Client.Grant(consumer, 50);
            actor.AcceptAll();
            scene.Advance(1000);
        }

        actor.Client.CloseConsumer(consumer, countAttempts: false);
        scene.Settle();
    }

    /// <summary>Whether a node that starts on an image delivers the old message from a queue.</summary>
    private static bool Holds(MemoryFileSystem image, string queue)
    {
        using Scene scene = SceneOn(image);
        Actor actor = scene.Connect();
        try
        {
            actor.Consume(queue);
            return actor.Take() is ["the old one"];
        }
        catch (Exception e) when (e is BrokerException { Error: BrokerError.NotFound } or StorageException)
        {
            return false;
        }
    }
}
