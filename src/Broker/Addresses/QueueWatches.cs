using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>Who wants to hear of an address space's new queues, or of all changes of its queues and topics. Under the
/// space's lock.</summary>
internal sealed class QueueWatches
{
    private readonly HashSet<QueueWatch> _watches = [];

    private readonly HashSet<QueueWatch> _ofNames = [];

    // By subscription: each of many sessions waits for its own.
    private readonly Dictionary<string, HashSet<QueueWatch>> _ofReaders = new(StringComparer.Ordinal);

    public void Add(QueueWatch watch)
    {
        if (!watch.IsForReaders)
        {
            (watch.IsOfNames ? _ofNames : _watches).Add(watch);
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
            (watch.IsOfNames ? _ofNames : _watches).Remove(watch);
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

        if (QueueWatch.IsForAll(queue))
        {
            TellNames(EventKind.NameMade, queue.Name, RoutingType.Anycast);
        }
    }

    /// <summary>A queue has gone.</summary>
    public void TellGone(QueueConfig queue)
    {
        if (QueueWatch.IsForAll(queue))
        {
            TellNames(EventKind.NameGone, queue.Name, RoutingType.Anycast);
        }
    }

    /// <summary>A topic was made, or has gone.</summary>
    public void TellTopic(string address, bool isGone) =>
        TellNames(isGone ? EventKind.NameGone : EventKind.NameMade, address, RoutingType.Multicast);

    private static void Tell(QueueWatch watch, QueueConfig queue) => watch.Client.Receive([new ClientEvent
    {
        Kind = EventKind.QueueMade,
        Subject = watch,
        Name = queue.Name,
    }]);

    private void TellNames(EventKind kind, string name, RoutingType type)
    {
        foreach (QueueWatch watch in _ofNames)
        {
            watch.Client.Receive([new ClientEvent
            {
                Kind = kind,
                Subject = watch,
                Name = name,
                Number = (long)type,
            }]);
        }
    }
}
