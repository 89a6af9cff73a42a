using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Model;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Consumers that read a stream as members of a consumer group.</summary>
public sealed class StreamGroupReaderTests
{
    [Fact]
    public void What_is_settled_is_committed_and_read_on_from_there()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.Append(partition, "a", "b", "c");
        Actor first = scene.Connect("first");
        Consumer reader = Reader(first);
        Run(scene);
        Assert.Equal(["a", "b", "c"], Values(first));
        first.Settle(first.Deliveries[0], Outcome.Accepted);
        first.Settle(first.Deliveries[1], Outcome.Accepted);
        Run(scene);
        Assert.Equal(2, Committed(scene));
        first.Client.CloseConsumer(reader, countAttempts: false);
        Run(scene);
        Actor second = scene.Connect("second");
        Reader(second);
        Run(scene);
        Assert.Equal(["c"], Values(second));
    }

    [Fact]
    public void A_group_without_a_name_is_none()
    {
        using Scene scene = new();
        scene.Stream("s");
        BrokerException refused = Assert.Throws<BrokerException>(() => scene.Connect().Consume(
            "", 0, options => options with { Stream = new StreamReading { Stream = "s", Group = "" } }));
        Assert.Equal(BrokerError.InvalidField, refused.Error);
    }

    [Fact]
    public void A_record_that_is_not_settled_holds_the_commit_back()
    {
        using Scene scene = new();
        scene.Append(scene.Stream("s"), "a", "b", "c");
        Actor actor = scene.Connect();
        Reader(actor);
        Run(scene);
        actor.Settle(actor.Deliveries[1], Outcome.Accepted);
        actor.Settle(actor.Deliveries[2], Outcome.Accepted);
        Run(scene);
        Assert.Equal(0, Committed(scene));
        actor.Settle(actor.Deliveries[0], Outcome.Accepted);
        Run(scene);
        Assert.Equal(3, Committed(scene));
    }

    [Fact]
    public void Members_share_the_partitions_out()
    {
        using Scene scene = new();
        RecordStream stream = scene.Stream("s", partitions: 4).Stream;
        Actor left = scene.Connect("left");
        Actor right = scene.Connect("right");
        Reader(left);
        Run(scene);
        Reader(right);
        Run(scene, rounds: 60);
        for (int i = 0; i < 4; i++)
        {
            scene.Append(stream.Partitions[i], $"p{i}");
        }

        Run(scene);
        Assert.Equal(2, left.Deliveries.Count);
        Assert.Equal(2, right.Deliveries.Count);
        Assert.Equal(["p0", "p1", "p2", "p3"], Values(left).Concat(Values(right)).Order());
    }

    [Fact]
    public void Partitions_of_a_member_that_goes_come_to_the_others_with_what_it_did_not_settle()
    {
        using Scene scene = new();
        scene.Append(scene.Stream("s"), "a", "b");
        Actor left = scene.Connect("left");
        Consumer reader = Reader(left);
        Run(scene);
        left.Settle(left.Deliveries[0], Outcome.Accepted);
        Actor right = scene.Connect("right");
        Reader(right);
        Run(scene);
        Assert.Empty(right.Deliveries);
        left.Client.CloseConsumer(reader, countAttempts: false);
        Run(scene, rounds: 60);
        Assert.Equal(["b"], Values(right));
    }

    [Fact]
    public void A_reader_of_one_partition_commits_without_being_a_member()
    {
        using Scene scene = new();
        scene.Append(scene.Stream("s", partitions: 2), "a", "b");
        Actor actor = scene.Connect();
        Reader(actor, partition: 0);
        Run(scene);
        actor.AcceptAll();
        Run(scene);
        Assert.Equal(2, Committed(scene));
    }

    [Fact]
    public void A_group_that_shares_records_does_not_take_the_consumer()
    {
        using Scene scene = new();
        scene.Stream("s");
        scene.Broker.Coordinators.Groups.ShareHeartbeat(
            new ConsumerHeartbeatRequest { GroupId = "g", MemberId = "m", SubscribedTopics = ["s"] }, _ => { });
        Actor actor = scene.Connect();
        Reader(actor);
        Run(scene);
        Assert.Equal([BrokerError.PreconditionFailed], actor.Closed);
    }

    /// <summary>A client of another protocol has worked records off in a transaction that is still open: whoever gets
    /// the partition meanwhile waits for its end.</summary>
    [Theory]
    [InlineData(true, "c")]
    [InlineData(false, "a,b,c")]
    public void A_reader_begins_when_the_transaction_that_moves_its_place_has_ended(bool isCommit, string expected)
    {
        using Scene scene = new();
        scene.Append(scene.Stream("s"), "a", "b", "c");
        ProducerStamp producer = WorkOff(scene, 2);
        Actor actor = scene.Connect();
        Reader(actor);
        Run(scene, rounds: 30);
        Assert.Empty(actor.Deliveries);
        scene.Broker.Coordinators.Transactions.EndTransaction(
            new TransactionRef("x", producer, 2), isCommit,
            result => Assert.Equal(CoordinatorError.None, result.Error));
        Run(scene);
        Assert.Equal(expected, string.Join(',', Values(actor)));
    }

    /// <summary>What begins behind the last record would otherwise pass over what the group has not read.</summary>
    [Fact]
    public void A_reader_of_one_partition_waits_too()
    {
        using Scene scene = new();
        scene.Append(scene.Stream("s"), "a", "b", "c");
        ProducerStamp producer = WorkOff(scene, 1);
        Actor actor = scene.Connect();
        Reader(actor, partition: 0, StreamStart.Next);
        Run(scene);
        scene.Broker.Coordinators.Transactions.EndTransaction(
            new TransactionRef("x", producer, 2), commit: true, _ => { });
        Run(scene);
        Assert.Equal(["b", "c"], Values(actor));
    }

    // Commits an offset within a transaction, which stays open.
    private static ProducerStamp WorkOff(Scene scene, long offset)
    {
        ProducerStamp producer = ProducerStamp.None;
        StreamCoordinators coordinators = scene.Broker.Coordinators;
        coordinators.Transactions.InitProducer(
            new InitProducerRequest("x", 60_000, ProducerStamp.None), result => producer = result.Producer);
        scene.Settle();
        CoordinatorError? error = null;
        coordinators.CommitOffsets(
            new TransactionRef("x", producer, 2),
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Offsets = [new OffsetToCommit(new TopicPartition("s", 0), offset, -1, null)],
            },
            result => error = result.Offsets[0]);
        scene.Settle();
        Assert.Equal(CoordinatorError.None, error);
        return producer;
    }

    private static Consumer Reader(Actor actor, int? partition = null, StreamStart? start = null) =>
        actor.Consume("", 100, options => options with
        {
            Stream = new StreamReading
            {
                Stream = "s",
                Group = "g",
                Start = start ?? StreamStart.First,
                Partition = partition,
            },
        });

    private static void Run(Scene scene, int rounds = 15)
    {
        for (int i = 0; i < rounds; i++)
        {
            scene.Advance(500);
        }
    }

    private static long Committed(Scene scene)
    {
        long committed = -2;
        scene.Broker.Coordinators.Groups.FetchOffsets(
            new OffsetFetchRequest
            {
                Member = new GroupMemberRef("g", -1, "", null),
                Partitions = [new TopicPartition("s", 0)],
            },
            result => committed = result.Offsets.Count == 0 ? -1 : result.Offsets[0].Committed.Offset);
        scene.Settle();
        return committed;
    }
}
