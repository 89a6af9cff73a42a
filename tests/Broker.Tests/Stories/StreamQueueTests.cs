using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Tests.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Queues that are bound to a stream: its records are their messages.</summary>
public sealed class StreamQueueTests
{
    [Fact]
    public void Each_record_is_a_message_that_is_acknowledged_by_itself()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        Make(scene);
        scene.Append(partition, "a", "b", "c");
        actor.Consume("orders");
        Assert.Equal(["a", "b", "c"], Values(actor));
        actor.Settle(actor.Deliveries[1], Outcome.Accepted);
        Assert.Equal((2L, 0L, 1L), Progress(scene));
        actor.Settle(actor.Deliveries[0], Outcome.Accepted);
        Assert.Equal((1L, 2L, 0L), Progress(scene));
    }

    [Fact]
    public void Consumers_share_the_records_and_other_queues_get_them_too()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        Make(scene, "copies");
        Actor left = scene.Connect();
        Actor right = scene.Connect();
        Actor other = scene.Connect();
        left.Consume("orders", credit: 2);
        right.Consume("orders", credit: 2);
        other.Consume("copies");
        scene.Append(partition, "a", "b", "c", "d");
        scene.Settle();
        Assert.Equal(2, left.Deliveries.Count);
        Assert.Equal(["a", "b", "c", "d"], Values(left).Concat(Values(right)).Order());
        Assert.Equal(["a", "b", "c", "d"], Values(other));
    }

    [Fact]
    public void A_record_that_fails_comes_again_and_ends_as_a_dead_letter()
    {
        using Scene scene = Scene.With("s", new AddressSettings { MaxDeliveryAttempts = 2 });
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "bad", "good");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.Settle(Find(actor, "bad"), Outcome.Failed);
        Delivery again = actor.Deliveries[^1];
        Assert.Equal(("bad", 1), (Value(actor, again), again.DeliveryCount));
        actor.Settle(again, Outcome.Failed);
        actor.Settle(Find(actor, "good"), Outcome.Accepted);
        Assert.Equal((0L, 2L, 0L), Progress(scene));
        Actor undertaker = scene.Connect();
        undertaker.Consume("DLQ");
        using MessageLease letter = undertaker.Read(Assert.Single(undertaker.Deliveries));
        Assert.Equal(
            ("s", "orders", "max-delivery-attempts", 2),
            (letter.Origin!.Address, letter.Origin.Queue, letter.Origin.Reason, letter.Origin.Attempts.Count));
        Assert.Equal(PayloadFormat.KafkaRecord, letter.Header.Format);
    }

    [Fact]
    public void Progress_survives_a_stop()
    {
        using Scene scene = new();
        SettleSome(scene);
        scene.Restart();
        AssertRest(scene);
    }

    [Fact]
    public void Progress_survives_a_crash()
    {
        using Scene scene = new();
        SettleSome(scene);
        scene.Crash();
        AssertRest(scene);
    }

    [Fact]
    public void Progress_survives_a_crash_after_a_snapshot()
    {
        using Scene scene = new();
        SettleSome(scene);
        scene.Restart();
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.Settle(Find(actor, "e"), Outcome.Accepted);
        scene.Crash();
        Actor after = scene.Connect();
        after.Consume("orders");
        Assert.Equal(["b", "d"], Values(after));
        Assert.Equal([1, 0], after.Deliveries.Select(delivery => delivery.DeliveryCount));
    }

    [Fact]
    public void A_dead_letter_is_moved_once_even_when_the_node_crashes()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a", "b");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.Settle(actor.Deliveries[0], new Outcome(OutcomeKind.Rejected));
        scene.Crash();
        Actor after = scene.Connect();
        after.Consume("orders");
        Assert.Equal(["b"], Values(after));
        after.Deliveries.Clear();
        after.Consume("DLQ");
        Assert.Single(after.Deliveries);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_queue_is_rewound_to_an_offset_and_stays_there(bool crashes)
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a", "b", "c", "d");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.AcceptAll();
        Rewind(scene, StreamStart.AtOffset(1));
        if (crashes)
        {
            scene.Crash();
            actor = scene.Connect();
            actor.Consume("orders");
        }

        scene.Settle();
        Assert.Equal(["b", "c", "d"], Values(actor));
        actor.AcceptAll();
        Assert.Equal((0L, 4L, 0L), Progress(scene));
    }

    /// <summary>One offset is said of all partitions, and some are shorter.</summary>
    [Fact]
    public void A_queue_that_is_moved_behind_the_end_misses_nothing_that_comes_later()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a", "b");
        Rewind(scene, StreamStart.AtOffset(100));
        scene.Append(partition, "c");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["c"], Values(actor));
        actor.AcceptAll();
        Assert.Equal((0L, 3L, 0L), Progress(scene));
    }

    [Fact]
    public void A_queue_is_rewound_to_a_time_or_moved_forward()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a");
        scene.Clock.Advance(5000);
        long time = scene.Clock.NowMs;
        scene.Append(partition, "b");
        Rewind(scene, StreamStart.Next);
        Assert.Equal(0, Progress(scene).Backlog);
        Rewind(scene, StreamStart.AtTime(time));
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["b"], Values(actor));
    }

    [Fact]
    public void What_a_consumer_holds_while_the_queue_is_rewound_comes_again()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a", "b");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Delivery held = actor.Deliveries[0];
        Rewind(scene, StreamStart.First);
        scene.Settle();
        Assert.Equal(["a", "b", "a", "b"], Values(actor));
        actor.Settle(held, Outcome.Accepted);
        actor.AcceptAll();
        Assert.Equal((0L, 2L, 0L), Progress(scene));
    }

    [Fact]
    public async Task Purging_passes_over_everything_that_is_there()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, [.. Enumerable.Range(0, 3000).Select(i => $"v{i}")]);
        Task<long> purged = scene.Broker.Management.PurgeAsync(Identity.Node, "default", "orders");
        scene.Settle();
        Assert.Equal(3000, await purged);
        scene.Append(partition, "new");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["new"], Values(actor));
    }

    [Fact]
    public void A_backlog_much_larger_than_the_window_is_consumed_whole_and_in_order()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        string[] values = [.. Enumerable.Range(0, 25_000).Select(i => $"v{i}")];
        foreach (string[] chunk in values.Chunk(1000))
        {
            scene.Append(partition, chunk);
        }

        Actor actor = scene.Connect();
        Consumer consumer = actor.Consume("orders", credit: 3000);
        List<string> all = [];
        while (all.Count < values.Length)
        {
            Assert.NotEmpty(actor.Deliveries);
            all.AddRange(Values(actor));
            int count = actor.Deliveries.Count;
            actor.AcceptAll();
            actor.Client.Grant(consumer, count);
            scene.Settle();
        }

        Assert.Equal(values, all);
        Assert.Equal((0L, 25_000L, 0L), Progress(scene));
    }

    [Fact]
    public void A_filter_of_the_queue_settles_what_it_leaves_out()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene, with: config => config with { Filter = "absent IS NOT NULL" });
        scene.Append(partition, "a", "b");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Empty(actor.Deliveries);
        Assert.Equal((0L, 2L, 0L), Progress(scene));
    }

    [Fact]
    public void An_address_that_is_kept_stores_a_message_once_for_all_its_queues()
    {
        using Scene scene = Scene.With("kept.#", new AddressSettings { KeepInStream = true });
        Actor actor = scene.Connect();
        Make(scene, "kept.orders", stream: null, address: "kept.orders");
        Make(scene, "kept.audit", stream: null, address: "kept.orders");
        actor.Send("kept.orders", "a", "b");
        Assert.All(actor.Published, published => Assert.Null(published.Error));
        Assert.Equal(2, scene.Broker.Streams.Find("kept.orders")!.Partitions[0].EndOffset);
        Assert.Equal(["a", "b"], StreamScene.ReadAll(scene.Broker.Streams.Find("kept.orders")!.Partitions[0]));
        actor.Consume("kept.orders");
        Actor auditor = scene.Connect();
        auditor.Consume("kept.audit");
        Assert.Equal(["a", "b"], Values(actor));
        Assert.Equal(["a", "b"], Values(auditor));
    }

    [Fact]
    public void A_dead_letter_queue_that_reads_a_stream_takes_dead_letters_all_the_same()
    {
        using Scene scene = Scene.With("DLQ", new AddressSettings { KeepInStream = true });
        Actor actor = scene.Connect();
        Make(scene, "DLQ", stream: null, address: "DLQ");
        actor.Send("q", "a");
        actor.Consume("q");
        actor.Settle(actor.Deliveries[0], new Outcome(OutcomeKind.Rejected));
        actor.Deliveries.Clear();
        actor.Consume("DLQ");
        Assert.Equal("a", actor.Body(Assert.Single(actor.Deliveries)));
    }

    [Fact]
    public void A_stream_made_anew_is_read_from_its_begin()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a", "b", "c");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.AcceptAll();
        scene.Broker.Streams.Delete(scene.GrantFor("s"), partition.Stream);
        scene.Append(scene.Stream("s"), "x");
        scene.Advance(2000);
        Assert.Equal(["x"], Values(actor));
    }

    [Fact]
    public async Task Of_a_stream_that_is_gone_nothing_is_left_to_do()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, [.. Enumerable.Range(0, 2500).Select(i => $"{i}")]);
        scene.Broker.Streams.Delete(scene.GrantFor("s"), partition.Stream);
        scene.Advance(2000);
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.AcceptAll();
        QueueView? view = await scene.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders");
        Assert.Equal((0L, 0), (view!.MessageCount, view.Progress!.Count));
    }

    [Theory]
    [InlineData(RecordCompression.None)]
    [InlineData(RecordCompression.Lz4)]
    public void Records_that_only_the_disk_has_are_read_from_there(RecordCompression compression)
    {
        using Scene scene = new(options => options with { StreamCacheBytes = 64 << 10 });
        Partition partition = scene.Stream("s", 1, ("compression.type", $"{compression}".ToLowerInvariant()
            .Replace("none", "producer", StringComparison.Ordinal)));
        Make(scene);
        string[] values = [.. Enumerable.Range(0, 5_000).Select(i => $"v{i} {new string('x', 200)}")];
        foreach (string[] chunk in values.Chunk(100))
        {
            scene.Append(partition, chunk);
        }

        using (StreamRead read = new())
        {
            partition.Read(0, new ReadOptions { AtLeastOneBatch = true }, read);
            Assert.True(read.IsInFile);
        }

        Actor actor = scene.Connect();
        Consumer consumer = actor.Consume("orders", credit: 500);
        List<string> all = [];
        while (all.Count < values.Length)
        {
            Assert.NotEmpty(actor.Deliveries);
            all.AddRange(Values(actor));
            int count = actor.Deliveries.Count;
            actor.AcceptAll();
            actor.Client.Grant(consumer, count);
            scene.Settle();
        }

        Assert.Equal(values, all);
    }

    [Fact]
    public void Gaps_that_compaction_leaves_hold_nothing_back()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        RecordBatchBuilder builder = new();
        builder.Begin(new RecordBatchOptions());
        long nowMs = scene.Clock.NowMs;
        builder.Add(new RecordContent { TimestampMs = nowMs, OffsetDelta = 0, HasValue = true, Value = "a"u8 });
        builder.Add(new RecordContent { TimestampMs = nowMs, OffsetDelta = 3, HasValue = true, Value = "d"u8 });
        partition.Append(builder.Finish().Span, new AppendOptions { Origin = AppendOrigin.Coordinator });
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["a", "d"], Values(actor));
        actor.AcceptAll();
        Assert.Equal((0L, 4L, 0L), Progress(scene));
    }

    [Fact]
    public void Power_cuts_lose_no_record_and_bring_none_back_that_was_settled_for_sure()
    {
        RecordingFileSystem disk = new();
        HashSet<string> confirmed = [];
        HashSet<string> attempted = [];
        int looks = 0;
        void Look()
        {
            string[] there = Left(disk.MakeCrashImage(new Unsynced(false)));
            Assert.Empty(confirmed.Intersect(there));
            Assert.Empty(Letters.Except(there).Except(attempted));
            looks++;
        }

        using Scene scene = new(options => options with { FileSystem = disk });
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, Letters);
        Actor actor = scene.Connect();
        actor.Consume("orders");
        disk.Syncing = Look;
        Delivery[] deliveries = [.. actor.Deliveries];
        for (int i = 0; i < deliveries.Length; i++)
        {
            Delivery delivery = deliveries[(i * 7) % deliveries.Length];
            string value = Value(actor, delivery);
            attempted.Add(value);
            actor.Client.Settle(delivery, Outcome.Accepted, tag: (ulong)i + 1);
            scene.Settle();
            Assert.Contains((ulong)i + 1, actor.Settled);
            confirmed.Add(value);
        }

        Assert.True(looks >= Letters.Length, $"{looks} looks");
        Assert.Equal(Letters.Length, confirmed.Count);
    }

    [Fact]
    public void What_is_sent_to_a_queue_whose_stream_is_gone_is_not_lost()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Broker.Streams.Delete(scene.GrantFor("s"), partition.Stream);
        Actor actor = scene.Connect();
        actor.Send("s", "direct");
        actor.Consume("orders");
        Assert.Equal(["direct"], actor.Take());
    }

    [Fact]
    public void A_queue_that_reads_no_stream_cannot_be_rewound()
    {
        using Scene scene = new();
        scene.Connect().Queue("q");
        Task refused = scene.Broker.Management.RewindQueueAsync(Identity.Node, "default", "q", StreamStart.First, null);
        Assert.Equal(
            BrokerError.PreconditionFailed,
            Assert.Throws<BrokerException>(() => refused.GetAwaiter().GetResult()).Error);
    }

    private static readonly string[] Letters = [.. Enumerable.Range('a', 25).Select(c => $"{(char)c}")];

    private static string[] Left(MemoryFileSystem image)
    {
        using Scene scene = new(options => options with { FileSystem = image });
        Actor actor = scene.Connect();
        actor.Consume("orders");
        return Values(actor);
    }

    // a and c accepted, b failed once, d and e not yet.
    private static void SettleSome(Scene scene)
    {
        Partition partition = scene.Stream("s");
        Make(scene);
        scene.Append(partition, "a", "b", "c", "d", "e");
        Actor actor = scene.Connect();
        actor.Consume("orders");
        actor.Settle(Find(actor, "a"), Outcome.Accepted);
        actor.Settle(Find(actor, "c"), Outcome.Accepted);
        actor.Settle(Find(actor, "b"), Outcome.Failed);
    }

    private static void AssertRest(Scene scene)
    {
        Actor after = scene.Connect();
        after.Consume("orders");
        Assert.Equal(["b", "d", "e"], Values(after));
        Assert.Equal([1, 0, 0], after.Deliveries.Select(delivery => delivery.DeliveryCount));
        after.AcceptAll();
        Assert.Equal((0L, 5L, 0L), Progress(scene));
    }

    private static void Make(
        Scene scene, string name = "orders", string? stream = "s", string address = "s",
        Func<Queues.QueueConfig, Queues.QueueConfig>? with = null)
    {
        Queues.QueueConfig config = new()
        {
            Name = name,
            Address = address,
            Stream = stream,
            StreamStart = StreamStart.First,
        };
        _ = scene.Broker.Management.CreateQueueAsync(
            Identity.Node, "default", with is null ? config : with(config));
        scene.Settle();
    }

    private static void Rewind(Scene scene, StreamStart start)
    {
        Task done = scene.Broker.Management.RewindQueueAsync(Identity.Node, "default", "orders", start, null);
        scene.Settle();
        done.GetAwaiter().GetResult();
    }

    private static (long Backlog, long Mark, long SettledAbove) Progress(Scene scene)
    {
        QueueView view = scene.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders")
            .GetAwaiter().GetResult()!;
        FeedProgressView progress = Assert.Single(view.Progress!);
        return (progress.Backlog, progress.Mark, progress.SettledAbove);
    }

    private static Delivery Find(Actor actor, string value) =>
        actor.Deliveries.Last(delivery => Value(actor, delivery) == value);
}
