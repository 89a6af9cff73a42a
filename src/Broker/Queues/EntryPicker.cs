using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

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

    /// <summary>Looks at everything of a priority from a place on again.</summary>
    public void Rewind(byte priority, long sequence) => _cursors[priority]?.LookAgain(sequence);

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

            if (consumer.Filter is not null ? TryChoose(queue, consumer, list, priority, out sequence)
                : queue.Groups is null ? (_cursors[i] ??= new EntryCursor()).TryPeek(list, out sequence)
                : TryTakeGrouped(queue.Groups, consumer, list, priority, out sequence))
            {
                return true;
            }
        }

        (priority, sequence) = (0, -1);
        return false;
    }

    // What waits for the consumer already comes before what nobody has looked at, when it was first.
    private bool TryTakeGrouped(
        MessageGroups groups, Consumer consumer, EntryList list, byte priority, out long sequence)
    {
        EntryCursor shared = _cursors[priority] ??= new EntryCursor();
        long parked = MessageGroups.PeekParked(consumer, list, priority);
        while (shared.TryPeek(list, out sequence) && _looksLeft > 0 && (parked < 0 || sequence < parked))
        {
            MessageGroup group = list.GroupOf(sequence);
            if (groups.MayTake(group, consumer))
            {
                return true;
            }

            _looksLeft--;
            shared.Skip(sequence);
            MessageGroups.Park(groups.OwnerOf(group)!, priority, sequence);
        }

        sequence = parked;
        return parked >= 0;
    }

    private bool TryChoose(Queue queue, Consumer consumer, EntryList list, byte priority, out long sequence)
    {
        ConsumerFilter filter = consumer.Filter!;
        EntryCursor cursor = filter.CursorOf(priority);
        while (cursor.TryPeek(list, out sequence) && _looksLeft-- > 0)
        {
            Match match = filter.Test(queue, list.Find(sequence), priority, sequence);
            if (match == Match.Wait)
            {
                return false;
            }

            cursor.Skip(sequence);
            if (match == Match.Yes && queue.Groups?.MayTake(list.GroupOf(sequence), consumer) == false)
            {
                MessageGroups.PassOver(consumer, priority, sequence);
            }
            else if (match == Match.Yes)
            {
                return true;
            }
        }

        return false;
    }
}
