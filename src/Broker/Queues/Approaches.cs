namespace Pillarbox.Broker.Queues;

/// <summary>
/// Counts messages that were routed to a queue and are not in it yet. A queue that deletes itself may do so only when
/// there are none, and from then on nothing is routed to it: a message that is acknowledged is never lost between
/// the two. Any thread.
/// </summary>
internal sealed class Approaches
{
    private const int Closed = int.MinValue;
    private int _count;

    /// <summary>One more is on its way; false: the queue goes, route anew.</summary>
    public bool TryEnter()
    {
        int count = Volatile.Read(ref _count);
        while (count >= 0)
        {
            int seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count)
            {
                return true;
            }

            count = seen;
        }

        return false;
    }

    /// <summary>It is in the queue, or will never be.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);

    /// <summary>Lets nothing in any more; false when something is on its way.</summary>
    public bool TryClose() => Interlocked.CompareExchange(ref _count, Closed, 0) == 0;

    /// <summary>Lets nothing in any more, whatever is on its way.</summary>
    public void Close() => Interlocked.Or(ref _count, Closed);

    /// <summary>Takes <see cref="TryClose"/> back.</summary>
    public void Reopen() => Interlocked.And(ref _count, ~Closed);
}
