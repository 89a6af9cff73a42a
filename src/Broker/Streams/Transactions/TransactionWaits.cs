using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>
/// Requests that came while the producer's last transaction was still being ended. A client may begin its next one as
/// soon as the decision is on disk, and its requests are taken up in their order when the markers are there: so an
/// abort right behind the first partition finds a transaction to abort, and is not refused for the one before. Bounded
/// in number and time. One owner: the loop.
/// </summary>
internal sealed class TransactionWaits(TimerHeap timers, Func<long> nowMs, TransactionOptions options)
{
    /// <summary>Whether a request that begins or widens a transaction is to wait.</summary>
    public static bool IsDue(TransactionSlot slot) =>
        slot.IsBusy || slot.Current is { IsPrepared: true } || slot.Waiting.Count > 0;

    /// <summary>Holds a request back: true = it is its turn; false = it waited too long. False when too many wait
    /// already.</summary>
    public bool TryHold(TransactionSlot slot, Action<bool> goOn)
    {
        if (slot.Waiting.Count >= options.WaitingMax)
        {
            return false;
        }

        slot.Waiting.Enqueue(goOn);
        slot.WaitingOver ??= new CoordinatorTimer(() => GiveUp(slot));
        if (slot.Waiting.Count == 1)
        {
            timers.Arm(slot.WaitingOver, nowMs() + options.WaitMs);
        }

        return true;
    }

    /// <summary>A state is on disk, or could not be written: whoever waited for that goes on.</summary>
    public static void Release(TransactionSlot slot)
    {
        while (slot is { IsBusy: false, Current: not { IsPrepared: true } }
            && slot.Waiting.TryDequeue(out Action<bool>? goOn))
        {
            goOn(true);
        }

        if (slot.Waiting.Count == 0)
        {
            TimerHeap.Cancel(slot.WaitingOver);
        }
    }

    private static void GiveUp(TransactionSlot slot)
    {
        while (slot.Waiting.TryDequeue(out Action<bool>? goOn))
        {
            goOn(false);
        }
    }
}
