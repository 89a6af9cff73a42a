using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>What a consumer notes on a message that it gives back.</summary>
public sealed class AnnotationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Annotations_stay_with_the_message_on_redelivery(bool durable)
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        actor.Send(producer, "a", header => header with { Durable = durable });
        actor.Send(producer, "b", header => header with { Durable = durable });
        scene.Settle();
        actor.Consume("q", credit: 1);
        GiveBack(actor, "x");
        Actor other = scene.Connect("other");
        other.Consume("q", credit: 1);
        GiveBack(other, "y");
        other.Consume("q");
        Assert.Equal(["[y][x]a", "b"], other.Take());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Annotations_survive_a_restart(bool cleanStop)
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        actor.Consume("q", credit: 1);
        GiveBack(actor, "x");
        Stop(scene, cleanStop);
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(["[x]a", "b"], actor.Take());
    }

    [Fact]
    public void Only_the_queue_whose_consumer_noted_them_has_them()
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        foreach (string name in new[] { "one", "two" })
        {
            actor.Queue(name, queue => queue with { Address = "news", RoutingType = RoutingType.Multicast });
        }

        actor.Send("news", "a");
        actor.Consume("one", credit: 1);
        GiveBack(actor, "x");
        actor.Consume("one");
        actor.Consume("two");
        Assert.Equal(["[x]a", "a"], actor.Take());
        actor.AcceptAll();
    }

    [Fact]
    public void A_dead_letter_has_them_too()
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q", credit: 1);
        GiveBack(actor, "x");
        actor.Consume("q", credit: 1);
        actor.Settle(actor.Deliveries[0], new Outcome(OutcomeKind.Rejected));
        actor.Deliveries.Clear();
        actor.Consume("DLQ");
        Assert.Equal(["[x]a"], actor.Take());
    }

    [Fact]
    public void A_message_that_must_be_read_from_disk_has_them_before_its_settlement_counts()
    {
        using Scene scene = new(options => options with
        {
            AnnotationMergers = [new BracketMerger()],
            CacheBytes = 1 << 20,
            SegmentBytes = 64 << 10,
            Shards = 1,
        });
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q", credit: 1);
        string filler = new('f', 10_000);
        for (int i = 0; i < 400; i++)
        {
            actor.Send("filler", filler);
        }

        Delivery held = actor.Deliveries[0];
        bool inMemory = actor.Client.TryRead(held, out MessageLease lease);
        Assert.SkipWhen(inMemory, "the cache kept it");
        lease.Dispose();
        GiveBack(actor, "x");
        actor.Consume("q");
        SpinWait.SpinUntil(() =>
        {
            scene.Settle();
            return actor.Deliveries.Count > 0;
        });
        Assert.Equal(["[x]a"], actor.Take());
    }

    [Fact]
    public void In_a_transaction_they_are_merged_by_the_commit()
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q", credit: 1);
        Transactions.Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Noted("x"), 0, transaction);
        actor.Deliveries.Clear();
        actor.Client.Discharge(transaction, fail: false, 1);
        scene.Settle();
        actor.Consume("q");
        Assert.Equal(["[x]a"], actor.Take());
    }

    [Fact]
    public void A_crash_right_behind_the_commit_loses_none()
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        actor.Consume("q", credit: 1);
        Transactions.Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Noted("x"), 0, transaction);
        actor.Deliveries.Clear();
        actor.Client.Discharge(transaction, fail: false, 1);
        actor.Client.Flush();
        scene.Broker.Pump();

        // The commit is on disk, and its client has not looked since: it has not taken effect.
        Assert.Empty(actor.Discharged);
        for (int start = 0; start < 2; start++)
        {
            scene.Crash();
            Actor other = scene.Connect();
            other.Consume("q");
            Assert.Equal(["[x]a", "b"], other.Take());
        }

        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(["[x]a", "b"], actor.Take());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_body_has_them_in_front_of_its_file(bool durable)
    {
        using Scene scene = Annotating(options => options with { LargeMessageBytesMin = 1000 });
        Actor actor = scene.Connect();
        actor.Queue("q");
        LargePublish large = actor.Client.BeginLarge(actor.Producer("q"));
        Assert.True(large.Append(new System.Buffers.ReadOnlySequence<byte>(new byte[200_000])));
        Assert.True(large.Finish());
        large.Complete(new MessageHeader { Durable = durable }, tag: 1);
        scene.Settle();
        foreach (string note in new[] { "x", "y" })
        {
            Consumer consumer = actor.Consume("q", credit: 1);
            GiveBack(actor, note);
            actor.Client.CloseConsumer(consumer, countAttempts: false);
            scene.Settle();
        }

        await CheckAsync(scene);
        if (durable)
        {
            scene.Crash();
            await CheckAsync(scene);
            scene.Restart();
            await CheckAsync(scene);
        }

        static async Task CheckAsync(Scene scene)
        {
            Actor reader = scene.Connect("reader");
            Consumer consumer = reader.Consume("q", credit: 1);
            using MessageLease lease = reader.Read(Assert.Single(reader.Deliveries));
            using LargeBody body = lease.Large!;
            Assert.Equal(200_006, body.Length);
            byte[] bytes = new byte[200_007];
            Assert.Equal(200_006, await body.ReadAsync(0, bytes, CancellationToken.None));
            Assert.Equal("[y][x]\0\0", Encoding.UTF8.GetString(bytes, 0, 8));
            Assert.Equal(3, await body.ReadAsync(4, bytes.AsMemory(0, 3), CancellationToken.None));
            Assert.Equal("x]\0", Encoding.UTF8.GetString(bytes, 0, 3));
            Assert.Equal(1, await body.ReadAsync(200_005, bytes, CancellationToken.None));
            reader.Client.CloseConsumer(consumer, countAttempts: false);
            scene.Settle();
        }
    }

    [Fact]
    public void What_was_merged_is_not_merged_again_by_a_start()
    {
        using Scene scene = Annotating();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q", credit: 1);
        Transactions.Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Noted("x"), 0, transaction);
        actor.Deliveries.Clear();
        actor.Client.Discharge(transaction, fail: false, 1);
        scene.Settle();
        scene.Crash();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(["[x]a"], actor.Take());
    }

    private static Outcome Noted(string text) =>
        new(OutcomeKind.Modified, DeliveryFailed: true) { Annotations = Encoding.UTF8.GetBytes(text) };

    private static void GiveBack(Actor actor, string text)
    {
        Delivery delivery = actor.Deliveries[0];
        actor.Deliveries.Clear();
        actor.Settle(delivery, Noted(text));
    }

    private static void Stop(Scene scene, bool cleanly)
    {
        if (cleanly)
        {
            scene.Restart();
        }
        else
        {
            scene.Crash();
        }
    }

    private static Scene Annotating(Func<BrokerOptions, BrokerOptions>? with = null) =>
        new(options => (with?.Invoke(options) ?? options) with { AnnotationMergers = [new BracketMerger()] });

    /// <summary>Puts the annotations into brackets before the payload.</summary>
    private sealed class BracketMerger : IAnnotationMerger
    {
        public PayloadFormat Format => PayloadFormat.None;

        public bool Merge(
            ReadOnlySpan<byte> payload, ReadOnlySpan<byte> annotations, out int replacedBytes, out byte[] start)
        {
            replacedBytes = 0;
            start = [(byte)'[', .. annotations, (byte)']'];
            return true;
        }
    }
}
