using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

public sealed class MainPathTests
{
    [Fact]
    public void A_published_message_is_delivered_and_gone_when_accepted()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("orders");
        actor.Send("orders", "one", "two");
        Assert.All(actor.Published, done => Assert.Null(done.Error));
        Assert.Equal([1UL, 1UL], actor.Published.Select(p => p.Tag));
        actor.Consume("orders");
        Assert.Equal(["one", "two"], actor.Deliveries.Select(actor.Body));
        actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, tag: 7);
        actor.Client.Settle(actor.Deliveries[1], Outcome.Accepted, tag: 8);
        scene.Settle();
        Assert.Equal([7UL, 8UL], actor.Settled);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("orders");
        Assert.Empty(actor.Take());
    }

    [Fact]
    public void What_was_not_settled_is_there_after_a_restart_in_order()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("orders", [.. Enumerable.Range(0, 100).Select(i => $"m{i}")]);
        actor.Consume("orders", credit: 10);
        actor.Settle(actor.Deliveries[3], Outcome.Accepted);
        actor.Settle(actor.Deliveries[4], Outcome.Released);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(Enumerable.Range(0, 100).Where(i => i != 3).Select(i => $"m{i}"), actor.Take());
    }

    [Fact]
    public void Non_durable_messages_are_gone_after_a_restart()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("orders");
        actor.Send(producer, "soft", header => header with { Durable = false });
        actor.Send(producer, "hard");
        scene.Settle();
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("orders");
        Assert.Equal(["hard"], actor.Take());
    }

    [Fact]
    public void Competing_consumers_take_turns_and_what_one_gives_back_goes_to_the_other()
    {
        using Scene scene = new();
        Actor left = scene.Connect("left");
        Actor right = scene.Connect("right");
        left.Queue("q");
        Consumer leftConsumer = left.Consume("q", credit: 10);
        right.Consume("q", credit: 10);
        left.Send("q", "a", "b", "c", "d");
        Assert.Equal(2, left.Deliveries.Count);
        Assert.Equal(2, right.Deliveries.Count);
        string[] held = left.Take();
        right.Take();
        left.Client.CloseConsumer(leftConsumer, countAttempts: false);
        scene.Settle();
        Assert.Equal(held, right.Take());
    }
}
