using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Records that no member of a share group could do: they come to the dead letters, as those of queues do.
/// </summary>
public sealed class ShareDeadLetterTests
{
    private const int LockMs = 30_000;

    [Fact]
    public void A_rejected_record_is_a_message_for_the_dead_letters_that_says_where_it_comes_from()
    {
        using Scene scene = new();
        SharePartitionKey key = Make(scene, "a", "b", "c");
        Acquire(scene, key);
        Acknowledge(scene, key, 0, ShareAcknowledgement.Accept);
        Acknowledge(scene, key, 1, ShareAcknowledgement.Reject);
        Acknowledge(scene, key, 2, ShareAcknowledgement.Accept);
        Assert.Equal(3, StartOf(scene, key));
        scene.Crash();
        Assert.Equal(3, StartOf(scene, key));
        Actor actor = scene.Connect();
        actor.Queue("DLQ");
        actor.Consume("DLQ");
        Delivery delivery = Assert.Single(actor.Deliveries);
        Assert.Equal("b", Value(actor, delivery));
        using MessageLease lease = actor.Read(delivery);
        Assert.Equal(("s", "g", "rejected"), (lease.Origin!.Address, lease.Origin.Queue, lease.Origin.Reason));
    }

    [Fact]
    public void A_record_that_was_tried_too_often_is_one_too()
    {
        using Scene scene = new();
        SharePartitionKey key = Make(scene, "a");
        for (int i = 0; i < 5; i++)
        {
            Assert.Single(Acquire(scene, key));
            scene.Advance(LockMs + 1000);
        }

        Assert.Empty(Acquire(scene, key));
        Assert.Equal(1, StartOf(scene, key));
        Assert.Equal(["a"], DeadLetters(scene));
    }

    [Fact]
    public void Without_a_place_for_them_they_go()
    {
        using Scene scene = Scene.With("s", new AddressSettings { DeadLetterAddress = "" });
        SharePartitionKey key = Make(scene, "a");
        Acquire(scene, key);
        Acknowledge(scene, key, 0, ShareAcknowledgement.Reject);
        Assert.Equal(1, StartOf(scene, key));
        Assert.Empty(DeadLetters(scene));
    }

    /// <summary>Power goes at each sync from the rejection on: the record is a dead letter, or somebody will get it
    /// again, or it is on its way to the dead letters at the next start.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void None_is_lost_whatever_sync_the_power_goes_at(bool isUnsyncedThere)
    {
        RecordingFileSystem disk = new();
        bool isTold = false;
        var images = new List<(bool IsTold, MemoryFileSystem Image)>();
        SharePartitionKey key;
        using (Scene scene = new(options => options with { FileSystem = disk }))
        {
            key = Make(scene, "a", "b");
            scene.Connect().Queue("DLQ");
            Acquire(scene, key);
            scene.Settle();
            disk.Syncing = () => images.Add((isTold, disk.MakeCrashImage(new Unsynced(isUnsyncedThere))));
            Acknowledge(scene, key, 0, ShareAcknowledgement.Reject);
            isTold = true;
            scene.Advance(2000);
        }

        Assert.NotEmpty(images);
        foreach ((bool wasTold, MemoryFileSystem image) in images)
        {
            using Scene scene = new(files: image);
            scene.Advance(2000);
            int deadLetters = DeadLetters(scene).Count(value => value == "a");
            bool comesAgain = Acquire(scene, key).Any(range => range.First == 0);
            Assert.InRange(deadLetters, 0, 2);
            Assert.True(deadLetters > 0 || comesAgain, "it is lost");
            Assert.True(!wasTold || !comesAgain, "it was rejected and comes again");
        }
    }

    /// <summary>The disk of streams may be quicker than the journal's: a record is done with in its stream only when
    /// the journal has it, and until then a start hands it over again.</summary>
    [Fact]
    public void It_is_done_with_when_the_journal_has_it()
    {
        RecordingFileSystem disk = new();
        using Scene scene = new(options => options with { FileSystem = disk });
        SharePartitionKey key = Make(scene, "a");
        scene.Connect().Queue("DLQ");
        Acquire(scene, key);
        CoordinatorError? told = null;
        scene.Broker.Coordinators.Shares.Acknowledge(
            key, "m", [new ShareAcknowledgeRange(0, 0, [ShareAcknowledgement.Reject])], result => told = result.Error);
        for (int i = 0; i < 10; i++)
        {
            scene.Broker.Streams.Find("s")!.Partitions[0].Services.Store.Flush();
        }

        Assert.Equal(CoordinatorError.None, told);
        using Scene after = new(files: disk.MakeCrashImage(new Unsynced(false)));
        after.Advance(2000);
        Assert.Equal(["a"], DeadLetters(after));
        Assert.Equal(1, StartOf(after, key));
    }

    private static SharePartitionKey Make(Scene scene, params string[] values)
    {
        Partition partition = scene.Stream("s");
        scene.Append(partition, values);
        SharePartitionKey key = new("g", new TopicIdPartition(partition.Stream.Id, 0));
        scene.Broker.Coordinators.Shares.Open(key, 0, 0, null, _ => { });
        scene.Settle();
        return key;
    }

    private static IReadOnlyList<AcquiredRange> Acquire(Scene scene, SharePartitionKey key)
    {
        IReadOnlyList<AcquiredRange> ranges = [];
        long last = scene.Broker.Streams.Find("s")!.Partitions[0].EndOffset - 1;
        ShareAcquireRequest request = new() { Key = key, MemberId = "m", First = 0, Last = last };
        scene.Broker.Coordinators.Shares.Acquire(request, result => ranges = result.Ranges);
        scene.Settle();
        return ranges;
    }

    private static void Acknowledge(Scene scene, SharePartitionKey key, long offset, ShareAcknowledgement type)
    {
        CoordinatorError? error = null;
        scene.Broker.Coordinators.Shares.Acknowledge(
            key, "m", [new ShareAcknowledgeRange(offset, offset, [type])], result => error = result.Error);
        scene.Settle();
        Assert.Equal(CoordinatorError.None, error);
    }

    private static long StartOf(Scene scene, SharePartitionKey key)
    {
        long start = -1;
        scene.Broker.Coordinators.Shares.Describe(key, position => start = position.StartOffset);
        scene.Settle();
        return start;
    }

    private static string[] DeadLetters(Scene scene)
    {
        Actor actor = scene.Connect("undertaker");
        actor.Queue("DLQ");
        actor.Consume("DLQ");
        string[] values = Values(actor);
        actor.Client.Dispose();
        scene.Actors.Remove(actor);
        scene.Settle();
        return values;
    }
}
