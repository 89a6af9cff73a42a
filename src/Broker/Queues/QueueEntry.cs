using System.Runtime.InteropServices;

namespace Pillarbox.Broker.Queues;

/// <summary>What a message in a queue is doing.</summary>
internal enum EntryState : byte
{
    /// <summary>No longer in the queue.</summary>
    Removed = 0,

    /// <summary>Waits for a consumer.</summary>
    Ready,

    /// <summary>A consumer holds it.</summary>
    InFlight,

    /// <summary>Waits for its time.</summary>
    Delayed,

    /// <summary>On its way out by the broker itself (dead letter, expiry, damage).</summary>
    Leaving,
}

/// <summary>What else is known of an entry.</summary>
[Flags]
internal enum EntryFlags : byte
{
    None = 0,

    /// <summary>The record is in the journal, else in the transient log.</summary>
    InJournal = 1,

    /// <summary>The body is a file of its own.</summary>
    Large = 2,

    /// <summary>It goes when its time is over, which the expiry heap knows.</summary>
    HasExpiry = 4,

    /// <summary>Its time was over while a consumer held it.</summary>
    Expired = 8,

    /// <summary>A transaction has settled it and not ended yet.</summary>
    Staged = 16,

    /// <summary>Goes to the dead-letter address instead of to a consumer.</summary>
    Doomed = 32,

    /// <summary>Failed attempts are noted.</summary>
    HasAttempts = 64,

    /// <summary>With <see cref="Doomed"/>: because of too many attempts.</summary>
    Exhausted = 128,
}

/// <summary>One message in one queue: 32 bytes, everything else is in the log.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct QueueEntry
{
    /// <summary>Position of the message's first record.</summary>
    public long Id;

    /// <summary>Where the record is now.</summary>
    public long Position;

    /// <summary>Its payload length in the log.</summary>
    public int RecordBytes;

    /// <summary>The consumer that holds it.</summary>
    public int Owner;

    /// <summary>Counts that consumer's deliveries: tells this delivery from an earlier one.</summary>
    public uint Stamp;

    /// <summary>Failed attempts.</summary>
    public ushort DeliveryCount;

    public EntryState State;

    public EntryFlags Flags;

    /// <summary>Whether it is a record of a stream, in its partition's log, with a <see cref="Feeds.RecordId"/>.
    /// </summary>
    public readonly bool IsRecord => Feeds.RecordId.Is(Id);

    public readonly bool Has(EntryFlags flag) => (Flags & flag) != 0;
}
