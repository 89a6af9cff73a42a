namespace Pillarbox.Broker.Queues;

/// <summary>A queue's figures. The shard writes; others may read them a little late.</summary>
internal sealed class QueueCounters
{
    public long Messages;
    public long Bytes;
    public long Ready;
    public long InFlight;
    public long Delayed;
    public long EnqueuedTotal;
    public long AcknowledgedTotal;
    public long ExpiredTotal;
    public long DeadLetteredTotal;

    /// <summary>Not durable, and came when the queue held as many as it may.</summary>
    public long DroppedTotal;

    /// <summary>The gauge of a state.</summary>
    public ref long Of(EntryState state)
    {
        switch (state)
        {
            case EntryState.Ready:
                return ref Ready;
            case EntryState.Delayed:
                return ref Delayed;
            default:
                return ref InFlight;
        }
    }
}
