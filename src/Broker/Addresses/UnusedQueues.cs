using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Addresses;

/// <summary>
/// Deletes queues that delete themselves once nobody uses them: no consumer any more, no producer on the address, no
/// message, for as long as the settings say. And those whose own time without users is over, with their messages.
/// </summary>
internal static class UnusedQueues
{
    public static void Sweep(BrokerServices services)
    {
        long nowMs = services.NowMs;
        foreach (AddressSpace space in services.Spaces.All)
        {
            foreach (Queue queue in space.Queues)
            {
                if (queue.Config.AutoDelete && IsUnused(queue, nowMs))
                {
                    queue.Shard.Post(new ShardAction(_ => DeleteIfUnused(queue, nowMs)));
                }
                else if (IsExpired(queue, nowMs))
                {
                    Delete(queue);
                }
            }
        }
    }

    private static bool IsUnused(Queue queue, long nowMs)
    {
        long since = queue.Admission.UnusedSinceMs;
        return queue.Admission.Consumers == 0 && since > 0 && nowMs - since >= queue.Rules.AutoDeleteDelayMs
            && Volatile.Read(ref queue.Counters.Messages) == 0
            && queue.Space.FindAddress(queue.Config.Address) is not { Producers: > 0 };
    }

    private static bool IsExpired(Queue queue, long nowMs)
    {
        QueueAdmission admission = queue.Admission;
        return admission.ExpirySinceMs > 0 && admission.ExpiryTimeoutMs >= 0 && admission.Consumers == 0
            && nowMs - admission.ExpirySinceMs >= admission.ExpiryTimeoutMs;
    }

    private static void Delete(Queue queue)
    {
        try
        {
            queue.Space.DeleteQueue(queue, ifUnused: true);
        }
        catch (BrokerException)
        {
            // Somebody came to use it just now, or the disk takes nothing: it is tried again.
        }
    }

    private static void DeleteIfUnused(Queue queue, long nowMs)
    {
        if (IsUnused(queue, nowMs))
        {
            try
            {
                queue.Space.DeleteIfIdle(queue);
            }
            catch (BrokerException)
            {
                // The disk takes nothing now: it is tried again.
                queue.Approaches!.Reopen();
            }
        }
    }
}
