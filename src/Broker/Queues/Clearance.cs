using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Queues;

/// <summary>What becomes of the messages of a queue that was deleted. In the queue's shard.</summary>
internal static class Clearance
{
    /// <summary>Messages that are let go before the shard does other things.</summary>
    private const int DeleteStep = 10_000;

    /// <summary>Drops what a consumer holds.</summary>
    public static void DropHeld(Queue queue, Consumer consumer)
    {
        for (int i = 0; i < consumer.Held.Count; i++)
        {
            HeldDelivery held = consumer.Held[i];
            if (queue.Holds(held, consumer.Number))
            {
                queue.Remove(
                    ref queue.Find(held.Priority, held.Sequence), held.Priority, held.Sequence, journal: false);
            }
        }

        consumer.Held.Clear();
    }

    /// <summary>A slice a turn: others of the shard go on in between, however many messages there were.</summary>
    public static void DropSlice(Queue queue)
    {
        foreach ((byte priority, long sequence) in queue.Contents.Places(_ => true, DeleteStep))
        {
            queue.Remove(ref queue.Find(priority, sequence), priority, sequence, journal: false);
        }

        if (queue.Counters.Messages > 0)
        {
            queue.Shard.Post(new ShardAction(_ => DropSlice(queue)));
        }
    }
}
