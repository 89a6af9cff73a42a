using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

public sealed class RedeliveryTests
{
    [Fact]
    public void Released_messages_return_to_their_place_uncounted()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b", "c");
        Consumer consumer = actor.Consume("q", credit: 2);
        actor.Client.Settle(actor.Deliveries[0], Outcome.Released);
        actor.Client.Settle(actor.Deliveries[1], Outcome.Released);
        actor.Deliveries.Clear();
        actor.Client.Grant(consumer, 10);
        scene.Settle();
        Assert.All(actor.Deliveries, delivery => Assert.Equal(0, delivery.DeliveryCount));
        Assert.Equal(["a", "b", "c"], actor.Take());
    }

    [Fact]
    public void Dead_letters_wait_in_their_queue_until_there_is_a_place_for_them()
    {
        using Scene scene = Scene.With("q", new AddressSettings { DeadLetterAddress = "dead" });
        Actor actor = scene.Connect();
        actor.Queue("dead", config => config with { Address = "elsewhere" });
        actor.Send("q", "a", "b");
        actor.Consume("q");
        foreach (Delivery delivery in actor.Deliveries.ToArray())
        {
            actor.Settle(delivery, new Outcome(OutcomeKind.Rejected));
        }

        actor.Deliveries.Clear();
        scene.Advance(1000);
        actor.Client.DeleteQueue("dead", ifUnused: false);
        scene.Advance(1000);
        actor.Consume("dead");
        Assert.Equal(["a", "b"], actor.Take());
    }

    [Fact]
    public void Failed_attempts_wait_longer_each_time_and_end_as_dead_letters_with_their_story()
    {
        using Scene scene = Scene.With("q", new AddressSettings
        {
            MaxDeliveryAttempts = 3,
            RedeliveryDelayMs = 100,
            RedeliveryDelayMultiplier = 2,
            DeadLetterAddress = "dead",
        });
        Actor actor = scene.Connect("worker");
        actor.Send("q", "a");
        actor.Consume("q");
        foreach (long delay in new long[] { 100, 200 })
        {
            Delivery delivery = Assert.Single(actor.Deliveries);
            actor.Deliveries.Clear();
            actor.Settle(delivery, new Outcome(OutcomeKind.Modified, DeliveryFailed: true, Reason: $"after {delay}"));
            scene.Advance(delay - 1);
            Assert.Empty(actor.Deliveries);
            scene.Advance(1);
        }

        Delivery last = Assert.Single(actor.Deliveries);
        Assert.Equal(2, last.DeliveryCount);
        actor.Deliveries.Clear();
        actor.Settle(last, Outcome.Failed);
        actor.Consume("dead");
        Delivery dead = Assert.Single(actor.Deliveries);
        using MessageLease lease = actor.Read(dead);
        Assert.NotNull(lease.Origin);
        Assert.Equal(("q", "q", "max-delivery-attempts"),
            (lease.Origin.Address, lease.Origin.Queue, lease.Origin.Reason));
        Assert.Equal(["after 100", "after 200", null], lease.Origin.Attempts.Select(attempt => attempt.Reason));
        Assert.All(lease.Origin.Attempts, attempt => Assert.Equal("worker", attempt.Consumer));
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public void Attempts_are_counted_over_a_restart()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Consume("q", credit: 1);
        actor.Settle(actor.Deliveries[0], Outcome.Failed);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(1, Assert.Single(actor.Deliveries).DeliveryCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_redelivery_delay_goes_on_over_a_restart(bool crash)
    {
        using Scene scene = Scene.With("q", new AddressSettings
        {
            RedeliveryDelayMs = 1000,
            RedeliveryDelayMultiplier = 2,
        });
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        actor.Consume("q", credit: 1);
        actor.Settle(actor.Deliveries[0], Outcome.Failed);
        scene.Advance(400);
        if (crash)
        {
            scene.Crash();
        }
        else
        {
            scene.Restart();
        }

        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(["b"], actor.Take());
        scene.Advance(599);
        Assert.Empty(actor.Deliveries);
        scene.Advance(1);
        actor.Settle(actor.Deliveries[0], Outcome.Failed);
        actor.Deliveries.Clear();
        scene.Crash();
        actor = scene.Connect();
        actor.Consume("q");
        actor.Deliveries.Clear();
        scene.Advance(1999);
        Assert.Empty(actor.Deliveries);
        scene.Advance(1);
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public void Too_many_attempts_are_the_reason_also_after_a_restart()
    {
        using Scene scene = Scene.With("q", new AddressSettings { MaxDeliveryAttempts = 2 });
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        Consumer consumer = actor.Consume("q", credit: 2);
        Transactions.Transaction transaction = actor.Client.Begin();
        actor.Settle(actor.Deliveries[0], Outcome.Failed);
        actor.Client.Grant(consumer, 1);
        scene.Settle();
        actor.Client.Settle(actor.Deliveries[2], Outcome.Failed, 0, transaction);
        actor.Client.Settle(actor.Deliveries[1], new Outcome(OutcomeKind.Rejected), 0, transaction);
        actor.Client.Discharge(transaction, fail: false, 1);
        actor.Client.Flush();
        scene.Broker.Pump();
        scene.Crash();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Empty(actor.Deliveries);
        actor.Consume("DLQ");
        Assert.Equal(
            [("a", "max-delivery-attempts"), ("b", "rejected")],
            actor.Deliveries.Select(dead => (actor.Body(dead), ReasonOf(actor, dead))).Order());
    }

    [Fact]
    public void A_rejected_message_is_a_dead_letter_at_once_also_after_a_restart()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        actor.Consume("q", credit: 1);
        actor.Settle(actor.Deliveries[0], new Outcome(OutcomeKind.Rejected, Reason: "cannot parse"));
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(["b"], actor.Take());
        actor.Consume("DLQ");
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal("rejected", lease.Origin!.Reason);
        Assert.Equal(["cannot parse"], lease.Origin.Attempts.Select(attempt => attempt.Reason));
    }

    [Fact]
    public void A_dead_letter_that_is_rejected_stays_and_is_not_offered_to_the_same_consumer_for_ever()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("DLQ");
        actor.Send("DLQ", "a");
        actor.Consume("DLQ");
        for (int i = 0; i < 20 && actor.Deliveries.Count > 0; i++)
        {
            Delivery delivery = actor.Deliveries[0];
            actor.Deliveries.Clear();
            actor.Settle(delivery, new Outcome(OutcomeKind.Rejected));
        }

        Assert.Empty(actor.Deliveries);
        Actor other = scene.Connect("other");
        other.Consume("DLQ");
        Assert.Equal(["a"], other.Take());
    }

    [Fact]
    public void Expired_messages_go_to_the_expiry_address()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        actor.Send(producer, "short", header => header with { ExpiresAtMs = scene.Clock.NowMs + 100 });
        actor.Send(producer, "long");
        scene.Settle();
        scene.Advance(101);
        actor.Consume("q");
        Assert.Equal(["long"], actor.Take());
        actor.Consume("ExpiryQueue");
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal("expired", lease.Origin!.Reason);
    }

    [Fact]
    public void A_message_that_expires_while_held_is_expired_when_it_comes_back()
    {
        using Scene scene = Scene.With("#", new AddressSettings { ExpiryAddress = "" });
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        actor.Send(producer, "a", header => header with { ExpiresAtMs = scene.Clock.NowMs + 100 });
        scene.Settle();
        actor.Consume("q");
        scene.Advance(200);
        actor.Settle(Assert.Single(actor.Deliveries), Outcome.Released);
        Assert.Single(actor.Deliveries);
    }

    [Fact]
    public void Closing_a_consumer_can_count_the_attempts()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        Consumer consumer = actor.Consume("q");
        actor.Deliveries.Clear();
        actor.Client.CloseConsumer(consumer, countAttempts: true);
        actor.Consume("q");
        Assert.Equal(1, Assert.Single(actor.Deliveries).DeliveryCount);
    }

    private static string ReasonOf(Actor actor, Delivery dead)
    {
        using MessageLease lease = actor.Read(dead);
        return lease.Origin!.Reason;
    }

    [Fact]
    public void Settling_twice_has_no_effect()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        actor.Consume("q", credit: 1);
        Delivery delivery = actor.Deliveries[0];
        actor.Settle(delivery, Outcome.Accepted);
        actor.Settle(delivery, Outcome.Accepted);
        actor.Settle(delivery, Outcome.Released);
        Actor other = scene.Connect("other");
        other.Consume("q");
        Assert.Equal(["b"], other.Take());
    }
}
