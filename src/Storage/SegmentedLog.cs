using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Storage;

/// <summary>
/// An append-only log in segment files: checksummed records, group commit, recovery. Positions are logical: contiguous
/// over records, never used twice, and no record lies below <see cref="FirstPosition"/>. All members may be called from
/// any thread except where said.
/// </summary>
[SuppressMessage("Performance", "CA1822", Justification = "signatures first")]
public sealed class SegmentedLog : IDisposable
{
    /// <summary>Where an empty log begins; 0 is free to mean "nowhere".</summary>
    public const long FirstPosition = 64;

    private readonly Lock _gate = new();
    private readonly List<(long Position, byte[] Bytes)> _records = [];
    private long _tail = FirstPosition;

    private SegmentedLog()
    {
    }

    /// <summary>Opens the log in a directory, which is made when missing. Reads no records: call <see cref="Replay"/>
    /// once before the first append (not in spill mode, which starts empty by deleting what it finds).</summary>
    public static SegmentedLog Open(IFileSystem files, string directory, LogOptions options) => new();

    /// <summary>Lowest position that can be read.</summary>
    public long HeadPosition => FirstPosition;

    /// <summary>Where the next append goes.</summary>
    public long TailPosition => Volatile.Read(ref _tail);

    /// <summary>Everything below has been handed to the operating system.</summary>
    public long WrittenPosition => TailPosition;

    /// <summary>Everything below survives what <see cref="LogOptions.Mode"/> promises.</summary>
    public long DurablePosition => TailPosition;

    /// <summary>Appended bytes that wait for the disk.</summary>
    public long PendingBytes => TailPosition - WrittenPosition;

    /// <summary>Whether the disk has room.</summary>
    public SpaceState SpaceState => SpaceState.Ok;

    /// <summary>Called on the flusher's thread when <see cref="SpaceState"/> changes.</summary>
    public Action<SpaceState>? SpaceStateChanged { get; set; }

    /// <summary>Called once on the flusher's thread when the log fails.</summary>
    public Action<StorageFailedException>? Failed { get; set; }

    /// <summary>The segments, oldest first.</summary>
    public IReadOnlyList<SegmentInfo> Segments => [];

    /// <summary>Visits all valid records at or above <paramref name="from"/> in order, cuts the torn tail and reports
    /// damage. <paramref name="from"/> is a record's border that was durable (a snapshot's position), or 0.</summary>
    public RecoveryReport Replay(long from, IRecordVisitor visitor) => new() { TailPosition = _tail };

    /// <summary>Appends all records of a batch, in order and contiguously; returns the position of the batch's offset 0.
    /// Throws <see cref="StorageFullException"/>, <see cref="StorageBusyException"/> or
    /// <see cref="StorageFailedException"/>, and has then appended nothing.</summary>
    public long Append(LogBatch batch)
    {
        lock (_gate)
        {
            long position = _tail;
            for (int i = 0; i < batch.Count; i++)
            {
                int from = batch.OffsetOf(i);
                _records.Add((position + from, batch.Buffer[from..batch.OffsetOf(i + 1)].ToArray()));
            }

            Volatile.Write(ref _tail, position + batch.Bytes);
            return position;
        }
    }

    /// <summary>Calls the waiter once, when everything below <paramref name="position"/> is durable: at once, on this
    /// thread, if it is already.</summary>
    public void WhenDurable(long position, IDurableWaiter waiter) => waiter.OnDurable(DurablePosition);

    /// <summary>Reads a record that is in memory. False: use <see cref="ReadAsync"/>.</summary>
    public bool TryRead(long position, out LogLease lease)
    {
        lock (_gate)
        {
            int index = _records.FindIndex(record => record.Position == position);
            lease = default;
            if (index < 0)
            {
                return false;
            }

            byte[] bytes = _records[index].Bytes;
            lease = new LogLease(
                new LogBlock(bytes, position), RecordFormat.HeaderBytes, bytes.Length - RecordFormat.HeaderBytes, bytes[8], position);
            return true;
        }
    }

    /// <summary>Reads a record from memory or disk, and verifies it. Throws <see cref="DamagedRecordException"/>.</summary>
    public ValueTask<LogLease> ReadAsync(long position, CancellationToken cancellation) =>
        TryRead(position, out LogLease lease)
            ? ValueTask.FromResult(lease)
            : throw new DamagedRecordException(position, "no record begins there");

    /// <summary>Counts references to a record: its segment stays. <paramref name="bytes"/>: bytes of all of them.</summary>
    public void AddReferences(long position, int count, long bytes)
    {
    }

    /// <summary>Takes back one reference of so many bytes.</summary>
    public void ReleaseReference(long position, int bytes)
    {
    }

    /// <summary>Deletes or recycles sealed segments without references that lie wholly below
    /// <paramref name="keepFrom"/>.</summary>
    public void Reclaim(long keepFrom)
    {
    }

    /// <summary>The sealed segment wholly below <paramref name="before"/> with the lowest live ratio of at most
    /// <paramref name="liveRatioMax"/>; null if none.</summary>
    public SegmentInfo? FindCompactionCandidate(double liveRatioMax, long before) => null;

    /// <summary>Visits the valid records of one segment, from disk; returns the damage met.</summary>
    public IReadOnlyList<LogDamage> VisitSegment(long basePosition, IRecordVisitor visitor) => [];

    /// <summary>One pass of the flusher on this thread. For logs without a thread of their own.</summary>
    public void Flush()
    {
    }

    /// <summary>Flushes what waits and closes the files.</summary>
    public void Dispose()
    {
    }
}
