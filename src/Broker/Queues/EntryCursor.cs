using System.Runtime.CompilerServices;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// Finds the next ready entry of one list, each looked at once: a front that only moves on, and a heap of those that
/// came back
/// behind it. All consumers without a filter share one; a consumer that chooses has its own.
/// </summary>
internal sealed class EntryCursor
{
    private const int ReturnedSlack = 64;
    private readonly PriorityQueue<long, long> _returned = new();
    private long _next;

    /// <summary>The first ready entry not yet skipped. It stays the first until it is skipped or no longer
    /// ready.</summary>
    public bool TryPeek(EntryList list, out long sequence)
    {
        while (_returned.TryPeek(out sequence, out _))
        {
            if (IsReady(list, sequence))
            {
                return true;
            }

            _returned.Dequeue();
        }

        _next = list.SkipGone(_next);
        while (_next < list.End)
        {
            if (IsReady(list, _next))
            {
                sequence = _next;
                return true;
            }

            _next = list.SkipGone(_next + 1);
        }

        sequence = -1;
        return false;
    }

    /// <summary>Not this one; it is not looked at again unless it comes back.</summary>
    public void Skip(long sequence)
    {
        if (sequence >= _next)
        {
            _next = sequence + 1;
        }
        else
        {
            while (_returned.TryPeek(out long first, out _) && first <= sequence)
            {
                _returned.Dequeue();
            }
        }
    }

    /// <summary>An entry became ready again.</summary>
    public void Return(EntryList list, long sequence)
    {
        if (sequence >= _next)
        {
            return;
        }

        if (_returned.Count > list.Count + ReturnedSlack)
        {
            Rewind(Math.Min(sequence, _returned.Peek()));
            return;
        }

        _returned.Enqueue(sequence, sequence);
    }

    /// <summary>Looks at everything from a place on again.</summary>
    public void Rewind(long sequence)
    {
        _returned.Clear();
        _next = Math.Min(_next, sequence);
    }

    /// <summary>Looks at everything from a place on again, and at what came back before it.</summary>
    public void LookAgain(long sequence) =>
        Rewind(_returned.TryPeek(out long first, out _) ? Math.Min(first, sequence) : sequence);

    private static bool IsReady(EntryList list, long sequence)
    {
        ref QueueEntry entry = ref list.Find(sequence);
        return !Unsafe.IsNullRef(ref entry) && entry.State == EntryState.Ready;
    }
}
