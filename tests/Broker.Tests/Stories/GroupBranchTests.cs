using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Transactions;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Branches of distributed transactions that accept records which their client reads as a member of a
/// consumer group.</summary>
public sealed class GroupBranchTests
{
    private const long InDoubt = -10;

    private static readonly Xid Name = new(1, "global"u8, "branch"u8);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_offset_counts_with_the_branch_s_end_and_is_in_doubt_until_then(bool isCommit)
    {
        using Scene scene = new();
        Actor actor = Prepare(scene, 0, 1);
        Assert.Contains(1UL, actor.Settled);
        Assert.Equal(InDoubt, Committed(scene));
        End(actor.Client, isCommit, 2);
        scene.Settle();
        Assert.Equal([(2UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(isCommit ? 2 : 0, Committed(scene));
        Assert.Equal(isCommit ? ["AB"] : [], Read(scene, "out"));
        // The reader goes on.
        actor.AcceptAll();
        scene.Advance(600);
        Assert.Equal(3, Committed(scene));
    }

    /// <summary>Whoever gets the partition waits, and goes on behind what the branch has accepted, or with
    /// it.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Nobody_else_gets_the_records_while_it_is_in_doubt_over_restarts_too(bool isCommit, bool isCrash)
    {
        using Scene scene = new();
        Actor gone = Prepare(scene, 0, 1);
        gone.Client.Dispose();
        scene.Actors.Remove(gone);
        Actor waiting = scene.Connect("waiting");
        Reader(waiting);
        Run(scene, 30);
        Assert.Empty(waiting.Deliveries);
        for (int i = 0; i < 2; i++)
        {
            Again(scene, isCrash);
            Assert.Equal(InDoubt, Committed(scene));
        }

        Actor next = scene.Connect("next");
        Reader(next);
        // The one before it did not say good-bye.
        Run(scene, 120);
        Assert.Empty(next.Deliveries);
        Assert.Equal([Name], next.Client.Xa.Recover());
        End(next.Client, isCommit, 1);
        Run(scene, 10);
        Assert.Equal(isCommit ? ["c"] : ["a", "b", "c"], next.Deliveries.Select(delivery => Value(next, delivery)));
        Assert.Equal(isCommit ? ["AB"] : [], Read(scene, "out"));
        Again(scene, isCrash);
        Assert.Equal(isCommit ? 2 : 0, Committed(scene));
        Assert.Empty(scene.Connect().Client.Xa.Recover());
    }

    /// <summary>A group has one offset for a partition: what lies behind a record that is not settled cannot be
    /// kept.</summary>
    [Fact]
    public void What_lies_behind_a_record_that_is_not_settled_cannot_be_prepared()
    {
        using Scene scene = new();
        Actor actor = Prepare(scene, 1, 2);
        Assert.Empty(actor.Settled);
        Assert.Equal(BrokerError.TransactionRollback, Assert.Single(actor.Discharged).Error?.Error);
        Assert.Equal(1UL, actor.Discharged[0].Tag);
        Assert.Equal(0, Committed(scene));
        Assert.Throws<XaException>(() => actor.Client.Xa.Commit(Name, onePhase: false, 2));
        actor.AcceptAll();
        scene.Advance(600);
        Assert.Equal(3, Committed(scene));
    }

    [Fact]
    public void Transactions_over_the_same_partition_are_refused_until_it_has_ended()
    {
        using Scene scene = new();
        Actor actor = Prepare(scene, 0);
        Transaction local = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[1], Outcome.Accepted, transaction: local);
        actor.Client.Discharge(local, fail: false, 2);
        scene.Settle();
        Assert.Equal(BrokerError.TransactionRollback, Assert.Single(actor.Discharged).Error?.Error);
        End(actor.Client, isCommit: true, 3);
        scene.Settle();
        Transaction again = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[1], Outcome.Accepted, transaction: again);
        actor.Client.Discharge(again, fail: false, 4);
        scene.Settle();
        Assert.Equal([2UL, 3UL, 4UL], actor.Discharged.Select(one => one.Tag));
        Assert.Null(actor.Discharged[^1].Error);
        Assert.Equal(2, Committed(scene));
    }

    [Fact]
    public void A_client_that_goes_while_its_branch_is_prepared_leaves_nothing_in_doubt()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, 0, 1);
        actor.Client.Xa.End(Name);
        Assert.True(actor.Client.Xa.Prepare(Name, 1));
        scene.Actors.Clear();
        actor.Client.Dispose();
        scene.Advance(500);
        scene.Advance(500);
        Assert.Empty(scene.Connect().Client.Xa.Recover());
        Assert.Equal(0, Committed(scene));
    }

    [Fact]
    public void A_branch_with_an_offset_may_end_in_one_phase()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, 0, 1);
        actor.Client.Xa.End(Name);
        actor.Client.Xa.Commit(Name, onePhase: true, 1);
        scene.Settle();
        Assert.Null(Assert.Single(actor.Discharged).Error);
        Assert.Equal(2, Committed(scene));
    }

    /// <summary>Power goes at each sync from the preparation on: the offset has moved and the record is there, or
    /// neither.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Both_or_neither_whatever_sync_the_power_goes_at(bool isUnsyncedThere, bool isCommit)
    {
        RecordingFileSystem disk = new();
        string told = "";
        var images = new List<(string Told, MemoryFileSystem Image)>();
        using (Scene scene = new(options => options with { FileSystem = disk }))
        {
            Actor actor = Begin(scene, out Transaction transaction);
            Accept(actor, transaction, 0, 1);
            actor.Send(actor.Producer("out"), "AB", transaction: transaction);
            scene.Settle();
            disk.Syncing = () => images.Add((told, disk.MakeCrashImage(new Unsynced(isUnsyncedThere))));
            actor.Client.Xa.End(Name);
            actor.Client.Xa.Prepare(Name, 1);
            scene.Settle();
            Assert.Contains(1UL, actor.Settled);
            told = "prepared";
            End(actor.Client, isCommit, 2);
            scene.Settle();
            Assert.Single(actor.Discharged);
            told = "ended";
            scene.Advance(1000);
        }

        foreach ((string before, MemoryFileSystem image) in images)
        {
            using Scene scene = new(files: image);
            scene.Settle();
            Actor actor = scene.Connect();
            bool isPrepared = actor.Client.Xa.Recover().Count > 0;
            Assert.True(isPrepared || before != "prepared" || isCommit == (Read(scene, "out").Length > 0), before);
            if (isPrepared)
            {
                Assert.Equal((InDoubt, 0), (Committed(scene), Read(scene, "out").Length));
                End(actor.Client, isCommit, 1);
                scene.Settle();
            }

            string state = $"{Committed(scene)} {string.Join(',', Read(scene, "out"))}";
            Assert.True(state is "0 " || (isCommit && state == "2 AB"), $"{before}: {state}");
            Assert.True(!isCommit || before.Length == 0 || state == "2 AB", $"{before}, and yet {state}");
        }

        Assert.Contains(images, image => image.Told == "prepared");
    }

    private static Actor Begin(Scene scene, out Transaction transaction)
    {
        Partition partition = scene.Stream("in");
        scene.Stream("out");
        scene.Append(partition, "a", "b", "c");
        Actor actor = scene.Connect();
        Reader(actor);
        Run(scene, 15);
        Assert.Equal(3, actor.Deliveries.Count);
        transaction = actor.Client.Xa.Start(Name);
        return actor;
    }

    private static Actor Prepare(Scene scene, params int[] accepted)
    {
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, accepted);
        actor.Send(actor.Producer("out"), "AB", transaction: transaction);
        actor.Client.Xa.End(Name);
        Assert.True(actor.Client.Xa.Prepare(Name, 1));
        // Its connection's loop may be quicker than the disk.
        actor.Pass();
        Assert.Empty(actor.Settled);
        scene.Settle();
        return actor;
    }

    private static void Accept(Actor actor, Transaction transaction, params int[] deliveries)
    {
        foreach (int delivery in deliveries)
        {
            actor.Client.Settle(actor.Deliveries[delivery], Outcome.Accepted, transaction: transaction);
        }
    }

    private static void End(BrokerClient client, bool isCommit, ulong tag) =>
        _ = isCommit ? client.Xa.Commit(Name, onePhase: false, tag) : client.Xa.Rollback(Name, tag);

    private static void Reader(Actor actor) => actor.Consume("", 100, options => options with
    {
        Stream = new StreamReading { Stream = "in", Group = "g", Start = StreamStart.First },
    });

    private static void Run(Scene scene, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            scene.Advance(500);
        }
    }

    private static void Again(Scene scene, bool isCrash)
    {
        if (isCrash)
        {
            scene.Crash();
        }
        else
        {
            scene.Restart();
        }
    }

    // What the group has committed; or that it is in doubt.
    private static long Committed(Scene scene)
    {
        long committed = -2;
        scene.Broker.Coordinators.Groups.FetchOffsets(
            new OffsetFetchRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Partitions = [new TopicPartition("in", 0)],
                RequireStable = true,
            },
            result => committed = result.Offsets[0].Error == CoordinatorError.UnstableOffsetCommit
                ? InDoubt
                : result.Offsets[0].Committed.Offset);
        scene.Settle();
        return committed < 0 && committed != InDoubt ? 0 : committed;
    }
}
