using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Transactions that accept records which their client reads as a member of a consumer group: the group's
/// offsets are committed with them, or not at all.</summary>
public sealed class GroupTransactionTests
{
    [Fact]
    public void The_offset_is_committed_with_the_transaction_and_not_a_moment_later()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, 0, 1);
        actor.Send(actor.Producer("out"), "AB", transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        // Its connection's loop may be quicker than the disk.
        actor.Pass();
        Assert.Empty(actor.Discharged);
        scene.Settle();
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(2, Committed(scene));
        scene.Crash();
        Assert.Equal(2, Committed(scene));
        Assert.Equal(["AB"], Read(scene, "out"));
    }

    [Fact]
    public void A_rollback_leaves_the_offset_where_it_was()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, 0, 1);
        actor.Client.Discharge(transaction, fail: true, tag: 1);
        scene.Settle();
        Assert.Equal(0, Committed(scene));
        scene.Crash();
        Assert.Equal(0, Committed(scene));
    }

    [Fact]
    public void A_record_that_is_not_accepted_yet_holds_the_offset_back()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction first);
        Accept(actor, first, 1, 2);
        actor.Client.Discharge(first, fail: false, tag: 1);
        scene.Settle();
        Assert.Equal(0, Committed(scene));
        Transaction second = actor.Client.Begin();
        Accept(actor, second, 0);
        actor.Client.Discharge(second, fail: false, tag: 2);
        // With nothing to write but the offset, it is waited for too.
        actor.Pass();
        Assert.Single(actor.Discharged);
        scene.Settle();
        Assert.Equal([(1UL, (BrokerException?)null), (2UL, null)], actor.Discharged);
        Assert.Equal(3, Committed(scene));
    }

    [Fact]
    public void Transactions_follow_each_other()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        for (int i = 0; i < 3; i++)
        {
            Accept(actor, transaction, i);
            actor.Send(actor.Producer("out"), $"{i}", transaction: transaction);
            actor.Client.Discharge(transaction, fail: false, tag: (ulong)i + 1);
            transaction = actor.Client.Begin();
        }

        scene.Settle();
        Assert.Equal(3, actor.Discharged.Count(d => d.Error is null));
        Assert.Equal(3, Committed(scene));
        Assert.Equal(["0", "1", "2"], Read(scene, "out"));
    }

    /// <summary>Of two commits of a group the later one counts: the reader's own must not come between a transaction's
    /// and its end.</summary>
    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public void The_reader_s_own_commit_does_not_take_the_transaction_s_away(bool isCommit, int expected)
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted);
        Accept(actor, transaction, 1);
        actor.Send(actor.Producer("out"), "B", transaction: transaction);
        actor.Pass();
        scene.Clock.Advance(600);
        actor.Client.Discharge(transaction, fail: !isCommit, tag: 1);
        scene.Settle();
        Assert.Single(actor.Discharged);
        if (!isCommit)
        {
            scene.Advance(600);
        }

        scene.Crash();
        Assert.Equal(expected, Committed(scene));
    }

    [Fact]
    public void After_a_refusal_the_reader_s_own_commits_go_on()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, 0);
        transaction.Fail(new BrokerException(BrokerError.InvalidField, "something else in it is wrong"));
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        Assert.NotNull(Assert.Single(actor.Discharged).Error);
        actor.AcceptAll();
        scene.Advance(600);
        Assert.Equal(3, Committed(scene));
    }

    /// <summary>One of two groups takes no offset: the reader of the other one commits again by itself, also less than
    /// the transaction would have.</summary>
    [Fact]
    public void A_refusal_by_one_group_leaves_the_other_as_it_was()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Delivery[] first = [.. actor.Deliveries];
        scene.Append(scene.Stream("more"), "d");
        Consumer gone = Reader(actor, "more", "h");
        Run(scene);
        actor.Client.Settle(first[0], Outcome.Accepted, transaction: transaction);
        actor.Client.Settle(first[1], Outcome.Accepted, transaction: transaction);
        actor.Client.Settle(actor.Deliveries[^1], Outcome.Accepted, transaction: transaction);
        actor.Client.CloseConsumer(gone, countAttempts: false);
        scene.Settle();
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        Assert.Equal(BrokerError.TransactionRollback, Assert.Single(actor.Discharged).Error?.Error);
        Assert.Equal(0, Committed(scene));
        actor.Client.Settle(first[0], Outcome.Accepted);
        scene.Advance(600);
        scene.Advance(600);
        Assert.Equal(1, Committed(scene));
    }

    [Fact]
    public void A_member_whose_partition_is_another_s_by_now_commits_nothing()
    {
        using Scene scene = new();
        Actor actor = Begin(scene, out Transaction transaction);
        Accept(actor, transaction, 0);
        actor.Send(actor.Producer("out"), "A", transaction: transaction);
        // The group goes on without it.
        scene.Clock.Advance(60_000);
        scene.Broker.Coordinators.Groups.Tick();
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        Assert.Equal(BrokerError.TransactionRollback, Assert.Single(actor.Discharged).Error?.Error);
        Assert.Equal(0, Committed(scene));
        Assert.Empty(Read(scene, "out"));
    }

    /// <summary>Power goes at each sync: offset and output are there together, or not.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Power_cuts_leave_offset_and_output_together(bool isUnsyncedThere)
    {
        RecordingFileSystem disk = new();
        List<string> found = [];
        bool isAcknowledged = false;
        using Scene scene = new(options => options with { FileSystem = disk });
        Actor actor = Begin(scene, out Transaction transaction);
        disk.Syncing = () =>
        {
            using Scene after = new(files: disk.MakeCrashImage(new Unsynced(isUnsyncedThere)));
            string state = $"{Committed(after)} {string.Join(',', Read(after, "out"))}";
            found.Add(state);
            Assert.True(state is "0 " or "2 AB", state);
            Assert.True(!isAcknowledged || state == "2 AB", $"{state} after the acknowledgement");
        };
        Accept(actor, transaction, 0, 1);
        actor.Send(actor.Producer("out"), "AB", transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        for (int i = 0; i < 20; i++)
        {
            scene.Broker.Pump();
            actor.Pass();
            isAcknowledged |= actor.Discharged.Count > 0;
        }

        Assert.Single(actor.Discharged);
        Assert.Contains("2 AB", found);
        Assert.Contains("0 ", found);
    }

    private static Actor Begin(Scene scene, out Transaction transaction)
    {
        Partition partition = scene.Stream("in");
        scene.Stream("out");
        scene.Append(partition, "a", "b", "c");
        Actor actor = scene.Connect();
        Reader(actor, "in", "g");
        Run(scene);
        Assert.Equal(3, actor.Deliveries.Count);
        transaction = actor.Client.Begin();
        return actor;
    }

    private static Consumer Reader(Actor actor, string stream, string group) =>
        actor.Consume("", 100, options => options with
        {
            Stream = new StreamReading { Stream = stream, Group = group, Start = StreamStart.First },
        });

    private static void Run(Scene scene)
    {
        for (int i = 0; i < 15; i++)
        {
            scene.Advance(500);
        }
    }

    private static void Accept(Actor actor, Transaction transaction, params int[] deliveries)
    {
        foreach (int delivery in deliveries)
        {
            actor.Client.Settle(actor.Deliveries[delivery], Outcome.Accepted, transaction: transaction);
        }
    }

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
            result =>
            {
                Assert.All(result.Offsets, offset => Assert.Equal(CoordinatorError.None, offset.Error));
                committed = result.Offsets.Count == 0 ? -1 : result.Offsets[0].Committed.Offset;
            });
        scene.Settle();
        return committed;
    }
}
