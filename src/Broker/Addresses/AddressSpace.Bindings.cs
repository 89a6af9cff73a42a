using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;

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
