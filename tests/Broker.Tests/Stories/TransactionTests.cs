using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

public sealed class TransactionTests
{
    [Fact]
    public void Published_messages_are_seen_only_after_the_commit()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer left = actor.Producer("left");
        Producer right = actor.Producer("right");
        actor.Consume(actor.Client.ResolveQueue(new AddressName("left", null), null));
        actor.Consume(actor.Client.ResolveQueue(new AddressName("right", null), null));
        Transaction transaction = actor.Client.Begin();
        actor.Send(left, "l", transaction: transaction);
        actor.Send(right, "r", transaction: transaction);
        scene.Settle();
        Assert.Empty(actor.Deliveries);
        Assert.Equal(2, actor.Published.Count);
        actor.Client.Discharge(transaction, fail: false, tag: 9);
        scene.Settle();
        Assert.Equal([(9UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(["l", "r"], actor.Take().Order());
    }

    [Fact]
    public void Rolled_back_messages_vanish_and_settled_deliveries_are_held_again()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q");
        Delivery held = Assert.Single(actor.Deliveries);
        actor.Deliveries.Clear();
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(held, Outcome.Accepted, transaction: transaction);
        actor.Send(actor.Producer("q"), "b", transaction: transaction);
        scene.Settle();
        actor.Client.Discharge(transaction, fail: true, tag: 1);
        scene.Settle();
        Assert.Empty(actor.Deliveries);
        actor.Settle(held, Outcome.Released);
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public void A_committed_transaction_survives_a_restart_whole()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("in", "a", "b");
        actor.Consume("in", credit: 1);
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, transaction: transaction);
        actor.Send(actor.Producer("out"), "A", transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("in");
        Assert.Equal(["b"], actor.Take());
        actor.Consume("out");
        Assert.Equal(["A"], actor.Take());
    }

    [Fact]
    public void A_client_that_goes_rolls_back()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q");
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, transaction: transaction);
        actor.Send(actor.Producer("q"), "b", transaction: transaction);
        scene.Settle();
        actor.Client.Dispose();
        scene.Actors.Remove(actor);
        Actor other = scene.Connect("other");
        other.Consume("q");
        Assert.Equal(["a"], other.Take());
    }

    [Fact]
    public void Staged_settlements_outlive_their_consumer()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        Consumer consumer = actor.Consume("q");
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, transaction: transaction);
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        Actor other = scene.Connect("other");
        other.Consume("q");
        Assert.Empty(other.Deliveries);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        Assert.Empty(other.Deliveries);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Empty(actor.Deliveries);
    }

    [Fact]
    public void A_transaction_over_its_limit_rolls_back()
    {
        using Scene scene = new(options => options with { TransactionBytesMax = 1000 });
        Actor actor = scene.Connect();
        Transaction transaction = actor.Client.Begin();
        Producer producer = actor.Producer("q");
        actor.Send(producer, new string('x', 600), transaction: transaction);
        actor.Send(producer, new string('y', 600), transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        Assert.Equal(BrokerError.TransactionRollback, actor.Discharged[0].Error!.Error);
        actor.Consume("q");
        Assert.Empty(actor.Deliveries);
    }

    [Fact]
    public void Acknowledgements_count_for_the_limit_of_a_transaction()
    {
        using Scene scene = new(options => options with { TransactionBytesMax = 4000 });
        Actor actor = scene.Connect();
        string[] bodies = [.. Enumerable.Range(0, 40).Select(i => $"{i:d2}")];
        actor.Send("q", bodies);
        Consumer consumer = actor.Consume("q");
        Transaction transaction = actor.Client.Begin();
        foreach (Delivery delivery in actor.Deliveries)
        {
            actor.Client.Settle(delivery, Outcome.Accepted, transaction: transaction);
        }

        Assert.InRange(transaction.Settlements.Count, 1, 39);
        scene.Settle();
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        Assert.Equal(BrokerError.TransactionRollback, actor.Discharged[0].Error!.Error);
        actor.Deliveries.Clear();
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        actor.Consume("q");
        Assert.Equal(bodies, actor.Take());
    }

    [Fact]
    public void A_reject_inside_a_transaction_is_a_dead_letter_after_the_commit_and_after_a_restart()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q");
        Transaction transaction = actor.Client.Begin();
        actor.Client.Settle(actor.Deliveries[0], new Outcome(OutcomeKind.Rejected, Reason: "no"),
            transaction: transaction);
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        scene.Settle();
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        actor.Consume("DLQ");
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public void An_ended_transaction_cannot_be_ended_again()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Transaction transaction = actor.Client.Begin();
        actor.Client.Discharge(transaction, fail: false, tag: 1);
        Assert.Equal(
            BrokerError.TransactionUnknown,
            Assert.Throws<BrokerException>(() => actor.Client.Discharge(transaction, fail: false, tag: 2)).Error);
    }
}
