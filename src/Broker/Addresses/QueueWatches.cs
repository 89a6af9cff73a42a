using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Addresses;

/// <summary>Who wants to hear of an address space's new queues. Any thread.</summary>
internal sealed class QueueWatches
{
    private readonly Lock _gate = new();
    private QueueWatch[] _watches = [];

    public void Add(QueueWatch watch)
    {
        lock (_gate)
        {
            Volatile.Write(ref _watches, [.. _watches, watch]);
        }
    }

    public void Remove(QueueWatch watch)
    {
        lock (_gate)
        {
            Volatile.Write(ref _watches, [.. _watches.Where(other => other != watch)]);
        }
    }

    /// <summary>A queue was made.</summary>
    public void Tell(QueueConfig queue)
    {
        foreach (QueueWatch watch in Volatile.Read(ref _watches))
        {
            if (watch.Wants(queue))
            {
                watch.Client.Receive([new ClientEvent
                {
                    Kind = EventKind.QueueMade,
                    Subject = watch,
                    Name = queue.Name,
                }]);
            }
        }
    }
}
