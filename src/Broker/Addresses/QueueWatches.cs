using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Addresses;

/// <summary>Who wants to hear of an address space's new queues. Under the space's lock.</summary>
internal sealed class QueueWatches
{
    private readonly HashSet<QueueWatch> _watches = [];

    public bool Add(QueueWatch watch) => _watches.Add(watch);

    public bool Remove(QueueWatch watch) => _watches.Remove(watch);

    /// <summary>A queue was made.</summary>
    public void Tell(QueueConfig queue)
    {
        foreach (QueueWatch watch in _watches)
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
