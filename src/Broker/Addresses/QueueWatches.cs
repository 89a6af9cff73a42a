using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Addresses;

/// <summary>Who wants to hear of an address space's new queues. Under the space's lock.</summary>
internal sealed class QueueWatches
{
    private readonly HashSet<QueueWatch> _watches = [];

    // By subscription: each of many sessions waits for its own.
    private readonly Dictionary<string, HashSet<QueueWatch>> _ofReaders = new(StringComparer.Ordinal);

    public void Add(QueueWatch watch)
    {
        if (!watch.IsForReaders)
        {
            _watches.Add(watch);
            return;
        }

        if (!_ofReaders.TryGetValue(watch.Pattern, out HashSet<QueueWatch>? watches))
        {
            _ofReaders[watch.Pattern] = watches = new(1);
        }

        watches.Add(watch);
    }

    public void Remove(QueueWatch watch)
    {
        if (!watch.IsForReaders)
        {
            _watches.Remove(watch);
        }
        else if (_ofReaders.TryGetValue(watch.Pattern, out HashSet<QueueWatch>? watches) && watches.Remove(watch)
            && watches.Count == 0)
        {
            _ofReaders.Remove(watch.Pattern);
        }
    }

    /// <summary>A queue was made.</summary>
    public void Tell(QueueConfig queue)
    {
        if (queue.ReadsFor is { } subscription)
        {
            foreach (QueueWatch watch in _ofReaders.GetValueOrDefault(subscription) ?? [])
            {
                Tell(watch, queue);
            }

            return;
        }

        foreach (QueueWatch watch in _watches)
        {
            if (watch.Wants(queue))
            {
                Tell(watch, queue);
            }
        }
    }

    private static void Tell(QueueWatch watch, QueueConfig queue) => watch.Client.Receive([new ClientEvent
    {
        Kind = EventKind.QueueMade,
        Subject = watch,
        Name = queue.Name,
    }]);
}
