using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Routing;

namespace Pillarbox.Broker.Addresses;

/// <content>The patterns that subscriptions are bound to, and who waits for queues to be made.</content>
internal sealed partial class AddressSpace
{
    /// <summary>Binds a queue to a pattern, or no longer. False when that was so already. Errors: Unavailable,
    /// ResourceLimitExceeded (the disk is full).</summary>
    public bool SetBinding(Queue queue, string pattern, bool isBound, bool journal = true)
    {
        ReaderChanges changes = new();
        lock (_gate)
        {
            if (FindQueue(queue.Config.Name) != queue || queue.Bindings?.Contains(pattern) == isBound
                || (queue.Bindings is null && !isBound))
            {
                return false;
            }

            HashSet<string> bound = queue.Bindings ??= new HashSet<string>(StringComparer.Ordinal);
            if (isBound)
            {
                BindLocked(queue, pattern, journal, changes);
            }
            else
            {
                JournalBinding(queue, pattern, isBound, journal);
                bound.Remove(pattern);
                _patterns.Remove(pattern, queue);
                UnfollowLocked(queue, pattern, changes);
            }

            Change();
        }

        changes.Tell();
        return true;
    }

    /// <summary>The queues that match now; the watch hears of each later one.</summary>
    public IReadOnlyList<string> Watch(QueueWatch watch) => Frozen(() =>
    {
        _watches.Add(watch);
        return (IReadOnlyList<string>)[.. _queues.Values.Where(queue => watch.Wants(queue.Config))
            .Select(queue => queue.Config.Name).Order(StringComparer.Ordinal)];
    });

    /// <summary>All queues and topics that others can know of; the watch hears of each change.</summary>
    public (IReadOnlyList<string> Queues, IReadOnlyList<string> Topics) WatchNames(QueueWatch watch) => Frozen(() =>
    {
        _watches.Add(watch);
        IEnumerable<string> queues =
            _queues.Values.Select(queue => queue.Config).Where(QueueWatch.IsForAll).Select(queue => queue.Name);
        IEnumerable<string> topics = _addresses.Values.Where(node => node.IsShown).Select(node => node.Name);
        return ((IReadOnlyList<string>)[.. queues.Order(StringComparer.Ordinal)],
            (IReadOnlyList<string>)[.. topics.Order(StringComparer.Ordinal)]);
    });

    // A topic is one to others, unless it is what a subscription by a pattern hangs on, or the node's own.
    private void ShowLocked(AddressNode node)
    {
        if (node is { IsMulticast: true, IsShown: false } && node.Name[0] is not ('$' or '_')
            && !AddressPattern.IsWildcard(node.Name))
        {
            node.IsShown = true;
            _watches.TellTopic(node.Name, isGone: false);
        }
    }

    /// <summary>It hears no more.</summary>
    public void Unwatch(QueueWatch watch)
    {
        lock (_gate)
        {
            _watches.Remove(watch);
        }
    }

    private void BindLocked(Queue queue, string pattern, bool journal, ReaderChanges changes)
    {
        try
        {
            FollowLocked(queue, pattern, changes);
            JournalBinding(queue, pattern, isBound: true, journal);
        }
        catch (BrokerException)
        {
            changes.Made.ForEach(reader => TryEnd(reader, changes));
            changes.Made.Clear();
            changes.Tell();
            throw;
        }

        queue.Bindings!.Add(pattern);
        _patterns.Add(pattern, queue);
    }

    private void JournalBinding(Queue queue, string pattern, bool isBound, bool journal)
    {
        if (!journal || !queue.IsDurable)
        {
            return;
        }

        if (isBound)
        {
            bindings.QueueBound(queue.Id, pattern);
        }
        else
        {
            bindings.QueueUnbound(queue.Id, pattern);
        }
    }
}
