using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Management;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>What operators see.</summary>
public sealed class ViewTests
{
    [Fact]
    public async Task The_oldest_message_is_found_in_whatever_priority_it_has()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        long first = scene.Clock.NowMs;
        actor.Send(producer, "low", header => header with { Priority = 1 });
        scene.Settle();
        scene.Advance(5_000);
        actor.Send(producer, "high", header => header with { Priority = 9 });
        actor.Send(producer, "transient", header => header with { Durable = false });
        scene.Settle();
        Assert.Equal(first, (await OneAsync(scene)).OldestPublishedAtMs);

        actor.Consume("q");
        Assert.Equal(first, (await OneAsync(scene)).OldestPublishedAtMs);
        Delivery low = actor.Deliveries.Single(delivery => delivery.Priority == 1);
        actor.Settle(low, Outcome.Accepted);
        Assert.Equal(first + 5_000, (await OneAsync(scene)).OldestPublishedAtMs);
        actor.Deliveries.Remove(low);
        actor.AcceptAll();
        Assert.Null((await OneAsync(scene)).OldestPublishedAtMs);
    }

    [Fact]
    public async Task Totals_of_the_node_never_go_down()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        foreach (string queue in new[] { "s1", "s2" })
        {
            actor.Queue(queue, config => config with { Address = "news", RoutingType = RoutingType.Multicast });
        }

        Producer producer = actor.Producer("news");
        actor.Send(producer, "one");
        actor.Send(producer, "two");
        Consumer consumer = actor.Consume("s1");
        actor.AcceptAll();
        scene.Settle();
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        actor.Client.DeleteQueue("s1", ifUnused: false);
        actor.Client.DeleteQueue("s2", ifUnused: false);
        scene.Settle();
        NodeView node = await scene.Broker.Management.GetNodeAsync();
        Assert.Equal((2, 2, 0), (node.PublishedTotal, node.AcknowledgedTotal, node.Queues));
    }

    private static async Task<QueueView> OneAsync(Scene scene)
    {
        IReadOnlyList<QueueView> queues =
            await scene.Broker.Management.ListQueuesAsync(Identity.Node, "default");
        QueueView? one = await scene.Broker.Management.FindQueueAsync(Identity.Node, "default", "q");
        Assert.Equal(one!.OldestPublishedAtMs, Assert.Single(queues).OldestPublishedAtMs);
        return one;
    }
}
