namespace Pillarbox.Broker.Streams.Groups;

/// <summary>One keyed record of a coordinator's compacted stream; a null value forgets the key.</summary>
/// <param name="Key">The key, in the stream's record format.</param>
/// <param name="Value">The value, or null.</param>
public readonly record struct CoordinatorRecord(byte[] Key, byte[]? Value);

/// <summary>The producer under whose transaction records are written.</summary>
/// <param name="Id">Producer id; -1 = no transaction.</param>
/// <param name="Epoch">Producer epoch.</param>
public readonly record struct ProducerStamp(long Id, short Epoch)
{
    /// <summary>No transaction.</summary>
    public static readonly ProducerStamp None = new(-1, -1);

    /// <summary>Whether records with it belong to a transaction.</summary>
    public bool IsTransactional => Id >= 0;
}

/// <summary>What is given back at start, in the order in which it was written.</summary>
public interface ICoordinatorReplay
{
    /// <summary>A record that is not part of a transaction, or of one whose end follows.</summary>
    void OnRecord(int partition, ProducerStamp producer, ReadOnlySpan<byte> key, byte[]? value);

    /// <summary>The end of a producer's transaction in this partition.</summary>
    void OnMarker(int partition, ProducerStamp producer, bool committed);
}

/// <summary>
/// A compacted internal stream that a coordinator keeps its state in. Appends of one partition are durable in their
/// order; completions may come on any thread.
/// </summary>
public interface ICoordinatorLog
{
    /// <summary>How many partitions the stream has; at least 1, never changes.</summary>
    int PartitionCount { get; }

    /// <summary>
    /// Appends all records as one batch. None: <paramref name="completed"/> is called once, with whether the records
    /// are on disk. Else refused now (no room, or the producer is not the one it says), nothing is written and
    /// <paramref name="completed"/> is never called.
    /// </summary>
    CoordinatorError Append(
        int partition, ProducerStamp producer, IReadOnlyList<CoordinatorRecord> records, Action<bool> completed);

    /// <summary>Gives everything back that is on disk.</summary>
    void Replay(int partition, ICoordinatorReplay into);
}
