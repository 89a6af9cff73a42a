using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Writing;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Transactions;

/// <summary>
/// A local transaction: publishes and settlements that happen together or not at all. Owned by its connection.
/// Published messages become visible, and settlements take effect, when the commit is on disk.
/// </summary>
public sealed class Transaction
{
    internal Transaction(long id) => Id = id;

    /// <summary>Unique on the connection.</summary>
    public long Id { get; }

    /// <summary>Something in it failed that its client does not wait for: it can only roll back. The first failure
    /// counts; null: there was none.</summary>
    public void Fail(BrokerException? failure) => Failure ??= failure;

    /// <summary>More came than <see cref="BrokerOptions.TransactionBytesMax"/>: nothing further is kept of it, and it
    /// can only roll back. A settlement that is not kept comes back with the end of its consumer.</summary>
    public bool IsOverfull { get; internal set; }

    /// <summary>What it holds in memory, about: at most <see cref="BrokerOptions.TransactionBytesMax"/>.</summary>
    public long Bytes => Journal.Bytes + Transient.Bytes + (Streams?.Bytes ?? 0) + StagedBytes;

    /// <summary>Records of the commit, as one group.</summary>
    internal LogBatch Journal { get; } = new(256);

    /// <summary>Messages that need no disk.</summary>
    internal LogBatch Transient { get; } = new(64);

    internal Buffer<PendingPublish> Publishes { get; } = new();

    /// <summary>What goes into streams; null: nothing.</summary>
    internal StreamPublications? Streams { get; set; }

    /// <summary>What of it is written, to be ended by the commit.</summary>
    internal IReadOnlyList<SpannedPart> Parts { get; set; } = [];

    /// <summary>Offsets of groups that are committed with it; null: none.</summary>
    internal OffsetGate? Offsets { get; set; }

    /// <summary>Keeps the decision in the journal until the streams have it.</summary>
    internal AppendMark? Mark { get; set; }

    internal List<StagedSettlement> Settlements { get; } = [];

    /// <summary>What the settlements take in memory, about.</summary>
    internal long StagedBytes { get; set; }

    /// <summary>Why it can only roll back.</summary>
    internal BrokerException? Failure { get; set; }

    /// <summary>The branch of a distributed transaction that it is; null: it is a local one.</summary>
    internal XaBranch? Branch { get; set; }

    internal bool IsEnded { get; set; }
}

/// <summary>A settlement that waits for its transaction.</summary>
internal readonly record struct StagedSettlement(
    Delivery Delivery, OutcomeBits Outcome, string? Reason, ReadOnlyMemory<byte> Annotations)
{
    private const int OwnBytes = 128;

    /// <summary>What it takes in memory, about.</summary>
    public int Bytes => OwnBytes + Annotations.Length + (2 * (Reason?.Length ?? 0));
}
