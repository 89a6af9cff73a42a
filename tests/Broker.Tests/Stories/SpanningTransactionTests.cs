using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Tests.Streams;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Transactions that publish to streams and queues, and settle, all at once.</summary>
public sealed class SpanningTransactionTests
{
    [Fact]
    public void Records_messages_and_settlements_take_effect_together()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        actor.Send("in", "order");
        actor.Consume("in");
        actor.Consume("", 10, options => options with { Stream = new StreamReading { Stream = "s" } });
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, transaction: transaction);
        actor.Deliveries.Clear();
        actor.Send(actor.Producer("s"), "record", transaction: transaction);
        actor.Send(actor.Producer("out"), "message", transaction: transaction);
        scene.Settle();
        Assert.Empty(actor.Deliveries);
        Assert.Equal(0, partition.EndOffset);
        actor.Client.Discharge(transaction, fail: false, tag: 9);
        scene.Settle();
        Assert.Equal([(9UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal("record", Value(actor, Assert.Single(actor.Deliveries)));
        Assert.Equal(["record"], StreamScene.ReadAll(partition, isolation: Isolation.Committed));
        actor.Deliveries.Clear();
        actor.Consume("out");
        Assert.Equal(["message"], actor.Take());
    }

    [Fact]
    public void A_rollback_leaves_nothing_in_the_stream()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        Transaction transaction = actor.Client.Begin();
        actor.Send(actor.Producer("s"), "record", transaction: transaction);
        actor.Client.Discharge(transaction, fail: true, tag: 1);
        scene.Settle();
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(0, partition.EndOffset);
    }

    [Fact]
    public void Transactions_follow_each_other_and_overlap()
    {
        using Scene scene = new();
        RecordStream stream = scene.Stream("s", partitions: 2).Stream;
        Actor actor = scene.Connect();
        Producer left = actor.Producer("s::0");
        Producer right = actor.Producer("s::1");
        for (int round = 0; round < 20; round++)
        {
            Transaction first = actor.Client.Begin();
            Transaction second = actor.Client.Begin();
            actor.Send(left, $"a{round}", transaction: first);
            actor.Send(left, $"b{round}", transaction: second);
            actor.Send(right, $"c{round}", transaction: first);
            actor.Client.Discharge(first, fail: false, tag: 1);
            actor.Client.Discharge(second, fail: round % 2 == 1, tag: 2);
            scene.Settle();
        }

        string[] expected =
            [.. Enumerable.Range(0, 20).SelectMany(i => i % 2 == 0 ? new[] { $"a{i}", $"b{i}" } : [$"a{i}"])];
        Assert.Equal(expected, StreamScene.ReadAll(stream.Partitions[0], isolation: Isolation.Committed));
        Assert.Equal(20, StreamScene.ReadAll(stream.Partitions[1], isolation: Isolation.Committed).Count);
        Assert.Equal(stream.Partitions[0].HighWatermark, stream.Partitions[0].LastStableOffset);
    }

    [Fact]
    public void A_transaction_may_settle_what_it_took_from_a_queue_that_reads_a_stream()
    {
        using Scene scene = new();
        Partition source = scene.Stream("in");
        Partition target = scene.Stream("out");
        scene.Append(source, "a", "b");
        scene.Connect().Client.CreateQueue(Orders);
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, transaction: transaction);
        actor.Send(actor.Producer("out"), "A", transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        scene.Crash();
        Assert.Equal(["A"], StreamScene.ReadAll(scene.Broker.Streams.Find("out")!.Partitions[0],
            isolation: Isolation.Committed));
        Actor after = scene.Connect();
        after.Consume("orders");
        Assert.Equal("b", Value(after, Assert.Single(after.Deliveries)));
        Assert.NotNull(target);
    }

    [Fact]
    public void A_client_that_goes_while_its_transaction_commits_does_not_undo_it()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        Transaction transaction = actor.Client.Begin();
        actor.Send(actor.Producer("s"), "record", transaction: transaction);
        actor.Send(actor.Producer("out"), "message", transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Actors.Clear();
        actor.Client.Dispose();
        scene.Advance(500);
        scene.Advance(500);
        Assert.Equal(["record"], StreamScene.ReadAll(partition, isolation: Isolation.Committed));
        Actor after = scene.Connect();
        after.Consume("out");
        Assert.Equal(["message"], after.Take());
    }

    [Fact]
    public void Clients_of_streams_cannot_pass_for_the_node()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        RecordBatchBuilder builder = new();
        builder.Begin(new RecordBatchOptions { ProducerId = 1L << 62, ProducerEpoch = 0, BaseSequence = 0 });
        builder.Add(scene.Clock.NowMs, "k"u8, "v"u8);
        AppendResult result = partition.Append(builder.Finish().Span, new AppendOptions());
        Assert.Equal(StreamError.InvalidProducerEpoch, result.Error);
    }

    /// <summary>Power goes at each sync, and whatever of the unsynced bytes is on the disk: all or nothing is
    /// there.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Power_cuts_leave_all_of_it_or_nothing(int choice)
    {
        SeededRandom random = Seeds.New(out string seed);
        RecordingFileSystem disk = new();
        List<string> found = [];
        bool isAcknowledged = false;
        void Look()
        {
            ICrashChoice choose = choice == 2 ? new SomeUnsynced(random) : new Unsynced(choice == 1);
            string state = StateOf(disk.MakeCrashImage(choose));
            found.Add(state);
            Assert.True(!isAcknowledged || state == "committed", $"{state} after the acknowledgement {seed}");
        }

        using Scene scene = SceneOn(disk);
        scene.Stream("s", partitions: 2);
        Actor actor = scene.Connect();
        actor.Client.CreateQueue(new QueueConfig { Name = "out", Address = "out" });
        actor.Send("in", "order");
        actor.Consume("in");
        disk.Syncing = Look;
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, transaction: transaction);
        actor.Send(actor.Producer("s::0"), "left", transaction: transaction);
        actor.Send(actor.Producer("s::1"), "right", transaction: transaction);
        actor.Send(actor.Producer("out"), "message", transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        for (int i = 0; i < 10; i++)
        {
            scene.Broker.Pump();
            actor.Pass();
            isAcknowledged |= actor.Discharged.Count > 0;
        }

        scene.Advance(2000);
        Assert.Single(actor.Discharged);
        Assert.All(found, state => Assert.True(state is "nothing" or "committed", $"{state} {seed}"));
        Assert.True(found.Count > 3, $"only {found.Count} syncs");
        Assert.Equal("committed", StateOf(disk.MakeCrashImage(new Unsynced(false))));
    }

    private static QueueConfig Orders => new()
    {
        Name = "orders",
        Address = "in",
        Stream = "in",
        StreamStart = StreamStart.First,
    };

    private static Scene SceneOn(IFileSystem disk) => new(options => options with { FileSystem = disk });

    private static string StateOf(MemoryFileSystem image)
    {
        using Scene scene = SceneOn(image);
        scene.Settle();
        RecordStream stream = scene.Broker.Streams.Find("s")!;
        bool isStable = stream.Partitions.All(p => p.LastStableOffset == p.HighWatermark);
        Actor actor = scene.Connect();
        actor.Consume("", 10, options => options with
        {
            Stream = new StreamReading { Stream = "s", Start = StreamStart.First },
        });
        int records = actor.Deliveries.Count;
        actor.Deliveries.Clear();
        actor.Consume("in");
        int orders = actor.Take().Length;
        actor.Consume("out");
        int messages = actor.Take().Length;
        return (records, orders, messages, isStable) switch
        {
            (0, 1, 0, true) => "nothing",
            (2, 0, 1, true) => "committed",
            var other => $"torn: {other}",
        };
    }

    private sealed class SomeUnsynced(SeededRandom random) : ICrashChoice
    {
        public int ChooseEntries(int changes) => random.Next(changes + 1);

        public bool ChooseChange(int index, int count) => random.Next(2) == 0;

        public bool ChooseSector(int index, int count) => random.Next(2) == 0;
    }
}
