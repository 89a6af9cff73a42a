using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Broker.Consumers;

/// <summary>What a completion completes.</summary>
internal enum CompletionKind : byte
{
    Published,
    Settled,
    Discharged,

    /// <summary>A part of a transaction that must be on disk before the next one.</summary>
    Written,

    /// <summary>All parts of a transaction in streams are on disk: it can be decided.</summary>
    Prepared,
}

/// <summary>Something that a client is told once the journal is durable up to a position.</summary>
internal struct Completion
{
    public CompletionKind Kind;

    /// <summary>A discharge that committed: its messages and settlements take effect now.</summary>
    public bool IsCommit;
    public long Need;

    /// <summary>Also this partition of a stream must be durable, up to <see cref="PartitionNeed"/>; null: none.
    /// </summary>
    public Partition? Partition;
    public long PartitionNeed;

    /// <summary>Also this must be open, which wakes the client itself; null: nothing.</summary>
    public OffsetGate? Gate;
    public ulong Tag;
    public Producer? Producer;
    public Transaction? Transaction;
    public BrokerException? Error;

    /// <summary>Nobody took the message.</summary>
    public bool IsUnrouted;
}
