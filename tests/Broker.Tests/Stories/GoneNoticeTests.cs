using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>Producers that hear when their messages have left the queue (<see cref="ProducerOptions.TellsGone"/>).
/// </summary>
public sealed class GoneNoticeTests
{
    private const int ExpiryMs = 5_000;

    [Fact]
    public void Whatever_takes_a_message_is_told_once_and_nothing_else_is()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("q");
        Producer producer = Open(actor);
        actor.Send(producer, "taken");
        scene.Settle();
        actor.Send(producer, "expires", with: header => header with { ExpiresAtMs = scene.Clock.NowMs + ExpiryMs });
        scene.Settle();
        actor.Send(producer, "purged");
        scene.Settle();
        Assert.Equal([1, 2, 3], actor.Published.Select(one => (int)one.Tag));
        Consumer consumer = actor.Consume("q", credit: 1);
        actor.Settle(actor.Deliveries[0], Outcome.Released);
        Assert.Empty(actor.Settled);
        actor.Client.Grant(consumer, 1);
        scene.Settle();
        actor.Settle(actor.Deliveries[1], Outcome.Accepted);
        Assert.Equal([1UL], actor.Settled);
        scene.Advance(ExpiryMs + 1);
        scene.Broker.Pump();
        scene.Advance(1_000);
        Assert.Equal([1UL, 2UL], actor.Settled);
        Queues.Queue queue = consumer.Queue;
        queue.Shard.Post(new Shards.ShardAction(_ => Assert.Equal(1, queue.Purge(int.MaxValue))));
        scene.Settle();
        Assert.Equal([1UL, 2UL, 3UL], actor.Settled);
    }

    [Fact]
    public void One_of_a_transaction_is_told_when_it_was_there_and_is_not_any_more()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("q");
        Producer producer = Open(actor);
        Transactions.Transaction lost = actor.Client.Begin();
        actor.Send(producer, "lost", transaction: lost);
        actor.Client.Discharge(lost, fail: true, 1);
        scene.Settle();
        Transactions.Transaction kept = actor.Client.Begin();
        actor.Send(producer, "kept", transaction: kept);
        actor.Client.Discharge(kept, fail: false, 2);
        scene.Settle();
        Assert.Empty(actor.Settled);
        actor.Consume("q");
        Assert.Equal("kept", actor.Body(actor.Deliveries.Single()));
        actor.AcceptAll();
        Assert.Equal([2UL], actor.Settled);
    }

    [Fact]
    public void A_closed_producer_hears_nothing()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("q");
        Producer producer = Open(actor);
        actor.Send(producer, "one");
        scene.Settle();
        actor.Client.CloseProducer(producer);
        actor.Consume("q");
        actor.AcceptAll();
        Assert.Empty(actor.Settled);
    }

    private static Producer Open(Actor actor) =>
        actor.Client.OpenProducer(new ProducerOptions { Address = "q::q", TellsGone = true });
}
