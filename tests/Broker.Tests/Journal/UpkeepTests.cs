using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Journal;

public sealed class UpkeepTests
{
    [Fact]
    public async Task The_journal_stays_short_although_one_old_message_stays()
    {
        using Scene scene = new(Small);
        Actor actor = scene.Connect();
        actor.Send("old", "the old one");
        Consumer consumer = actor.Consume(actor.Client.ResolveQueue(new AddressName("q", null), null));
        for (int round = 0; round < 60; round++)
        {
            actor.Send("q", [.. Enumerable.Range(0, 50).Select(i => new string('x', 500))]);
            actor.Client.Grant(consumer, 50);
            actor.AcceptAll();
            scene.Advance(1000);
        }

        Assert.InRange((await scene.Broker.Management.GetNodeAsync()).JournalSegments, 1, 15);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("old");
        Assert.Equal(["the old one"], actor.Take());
        actor.Consume("q");
        Assert.Empty(actor.Take());
    }

    [Fact]
    public void A_snapshot_keeps_order_counts_expiry_and_attempts()
    {
        using Scene scene = new(Small);
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        actor.Send(producer, "failed once");
        actor.Send(producer, "expires", header => header with { ExpiresAtMs = scene.Clock.NowMs + 5000 });
        actor.Send(producer, "important", header => header with { Priority = 9 });
        scene.Settle();
        Consumer consumer = actor.Consume("q", credit: 2);
        actor.Settle(actor.Deliveries[1], new Outcome(OutcomeKind.Modified, DeliveryFailed: true, Reason: "why"));
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        scene.Settle();
        scene.Restart();
        scene.Restart();
        actor = scene.Connect();
        consumer = actor.Consume("q", credit: 3);
        Assert.Equal([0, 1, 0], actor.Deliveries.Select(delivery => (int)delivery.DeliveryCount));
        Assert.Equal(["important", "failed once", "expires"], actor.Take());
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        scene.Advance(5001);
        actor.Consume("ExpiryQueue");
        Assert.Equal(["expires"], actor.Take());
    }

    [Fact]
    public async Task Large_messages_are_files_that_go_with_their_last_reference()
    {
        using Scene scene = new(options => options with { LargeMessageBytesMin = 1000 });
        Actor actor = scene.Connect();
        foreach (string queue in new[] { "s1", "s2" })
        {
            actor.Queue(queue, config => config with { Address = "news", RoutingType = RoutingType.Multicast });
        }

        byte[] body = new byte[100_000];
        new Random(1).NextBytes(body);
        LargePublish large = actor.Client.BeginLarge(actor.Producer("news"));
        for (int at = 0; at < body.Length; at += 10_000)
        {
            Assert.True(large.Append(new ReadOnlySequence<byte>(body, at, 10_000)));
        }

        Assert.True(large.Finish());
        large.Complete(new MessageHeader { Durable = true }, tag: 1);
        scene.Settle();
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Published);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("s1");
        using (MessageLease lease = actor.Read(actor.Deliveries[0]))
        {
            byte[] read = new byte[body.Length + 1];
            Assert.NotNull(lease.Large);
            Assert.Equal(body.Length, await lease.Large.ReadAsync(0, read, CancellationToken.None));
            Assert.Equal(body, read[..body.Length]);
            lease.Large.Dispose();
        }

        actor.AcceptAll();
        Assert.Single(scene.Files.List("data/large", ".blob"));
        actor.Consume("s2");
        actor.AcceptAll();
        scene.Settle();
        Assert.Empty(scene.Files.List("data/large", ".blob"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_that_the_disk_does_not_delete_stays_until_the_next_start(bool inTransaction)
    {
        FileFaults faults = new();
        using Scene scene = new(options => options with
        {
            FileSystem = new FaultyFileSystem(options.FileSystem, faults, new SeededRandom(1)),
            LargeMessageBytesMin = 1000,
        });
        Actor actor = scene.Connect();
        Transaction? transaction = inTransaction ? actor.Client.Begin() : null;
        LargePublish large = actor.Client.BeginLarge(actor.Producer("q"));
        Assert.True(large.Append(new ReadOnlySequence<byte>(new byte[5000])));
        Assert.True(large.Finish());
        large.Complete(new MessageHeader { Durable = true }, tag: 1, transaction: transaction);
        scene.Settle();
        actor.Consume("q");
        faults.DeleteRefused = 1;
        if (transaction is not null)
        {
            actor.Client.Discharge(transaction, fail: true, tag: 2);
        }

        actor.AcceptAll();
        faults.DeleteRefused = 0;
        actor.Send("q", "goes on");
        Assert.Equal(["goes on"], actor.Take());
        Assert.Single(scene.Files.List("data/large", ".blob"));
        scene.Restart();
        Assert.Empty(scene.Files.List("data/large", ".blob"));
    }

    private static BrokerOptions Small(BrokerOptions options) =>
        options with { SegmentBytes = 64 << 10, SnapshotBytesMin = 128 << 10 };
}
