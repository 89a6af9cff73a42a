using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// Finds the next entry for a consumer: consumers that take what comes share a cursor per priority, those that choose
/// have their
/// own and may look at so many entries per turn. The shard's.
/// </summary>
internal sealed class EntryPicker
{
    /// <summary>Entries that consumers with a choice look at in one turn before others get theirs.</summary>
    private const int LooksPerTurnMax = 4096;

    private readonly EntryCursor?[] _cursors = new EntryCursor?[Queue.Priorities];
    private int _looksLeft;

    /// <summary>The turn ended with entries not looked at.</summary>
    public bool IsTired => _looksLeft <= 0;

    /// <summary>A new turn.</summary>
    public void Rest() => _looksLeft = LooksPerTurnMax;

    /// <summary>An entry is ready again.</summary>
    public void Return(EntryList list, byte priority, long sequence) => _cursors[priority]?.Return(list, sequence);

    /// <summary>The next entry that the consumer wants, of the highest priority first.</summary>
    public bool TryTake(Queue queue, Consumer consumer, out byte priority, out long sequence)
    {
        for (int i = Queue.Priorities - 1; i >= 0; i--)
        {
            priority = (byte)i;
            EntryList? list = queue.Contents.ListOf(i);
            if (list is null || list.Count == 0)
            {
                continue;
            }

            if (consumer.Filter is not null ? TryChoose(queue, consumer.Filter, list, priority, out sequence)
                : (_cursors[i] ??= new EntryCursor()).TryPeek(list, out sequence))
            {
                return true;
            }
        }

        (priority, sequence) = (0, -1);
        return false;
    }

    private bool TryChoose(Queue queue, ConsumerFilter filter, EntryList list, byte priority, out long sequence)
    {
        EntryCursor cursor = filter.CursorOf(priority);
        while (cursor.TryPeek(list, out sequence) && _looksLeft-- > 0)
        {
            Match match = filter.Test(queue, list.Find(sequence), priority, sequence);
            if (match == Match.Wait)
            {
                return false;
            }

            cursor.Skip(sequence);
            if (match == Match.Yes)
            {
                return true;
            }
        }

        return false;
    }
}
