using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Queues;

/// <summary>Consumers that want their credit back when nothing more can be delivered. The shard's.</summary>
internal sealed class Drains(Shard shard)
{
    private int _count;

    public void Request(Consumer consumer)
    {
        _count += consumer.DrainRequested ? 0 : 1;
        consumer.DrainRequested = true;
    }

    public void Forget(Consumer consumer)
    {
        _count -= consumer.DrainRequested ? 1 : 0;
        consumer.DrainRequested = false;
    }

    /// <summary>Nothing more can be delivered now.</summary>
    public void Answer(ConsumerSet consumers)
    {
        if (_count == 0)
        {
            return;
        }

        foreach (ConsumerGroup group in consumers.Groups)
        {
            foreach (Consumer consumer in group.Members)
            {
                if (consumer.DrainRequested && consumer.Filter is not { IsWaiting: true })
                {
                    Forget(consumer);
                    ref ClientEvent told = ref shard.Tell(consumer.Client);
                    told.Kind = EventKind.Drained;
                    told.Subject = consumer;
                    told.Number = consumer.Credit;
                    consumer.Credit = 0;
                }
            }
        }
    }
}
