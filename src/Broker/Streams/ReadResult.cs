using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>How to read.</summary>
public readonly record struct ReadOptions
{
    /// <summary>A megabyte of whatever is durable.</summary>
    public ReadOptions()
    {
    }

    /// <summary>Most bytes to give; the first batch may be larger when <see cref="AtLeastOneBatch"/>.</summary>
    public int BytesMax { get; init; } = 1 << 20;

    /// <summary>Whether a batch larger than <see cref="BytesMax"/> is given when it is the first.</summary>
    public bool AtLeastOneBatch { get; init; }

    /// <summary>Whose records are wanted.</summary>
    public Isolation Isolation { get; init; }

    /// <summary>The leader epoch that the caller believes in; -1 = does not say.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>The epoch of the last batch that the caller has; -1 = does not say.</summary>
    public int LastFetchedEpoch { get; init; } = -1;
}

/// <summary>An aborted transaction within what was read.</summary>
/// <param name="ProducerId">Whose.</param>
/// <param name="FirstOffset">Its first record.</param>
public readonly record struct AbortedTransaction(long ProducerId, long FirstOffset);

/// <summary>
/// What a read of a partition found: whole batches in memory, or a region of a file. Reusable, one owner; gives back
/// what
/// it borrowed with <see cref="Reset"/>.
/// </summary>
public sealed class StreamRead : IDisposable
{
    private readonly List<AbortedTransaction> _aborted = [];

    /// <summary>Readable below this offset.</summary>
    public long HighWatermark { get; internal set; } = -1;

    /// <summary>Decided below this offset.</summary>
    public long LastStableOffset { get; internal set; } = -1;

    /// <summary>The partition's first offset.</summary>
    public long StartOffset { get; internal set; } = -1;

    /// <summary>With <see cref="ReadOptions.LastFetchedEpoch"/>: the caller's log differs from here on; -1 = it does
    /// not.</summary>
    public long DivergingEndOffset { get; internal set; } = -1;

    /// <summary>The epoch that ends there.</summary>
    public int DivergingEpoch { get; internal set; } = -1;

    /// <summary>Where to go on reading: behind the last batch; -1 when nothing was found.</summary>
    public long NextOffset => Found.EndOffset;

    /// <summary>Bytes found.</summary>
    public int Bytes => Found.Bytes;

    /// <summary>True when they are in a file: <see cref="FileOffset"/>, <see cref="Handle"/> and
    /// <see cref="ReadFile"/>.</summary>
    public bool IsInFile => Found.IsInFile;

    /// <summary>The bytes when they are in memory. Valid until <see cref="Reset"/>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Memory => Found.Memory;

    /// <summary>Where in the file they begin.</summary>
    public long FileOffset => Found.FileOffset;

    /// <summary>The file's handle, for the system's own copying; null when it is no file of the system.</summary>
    public SafeFileHandle? Handle => Found.Handle;

    /// <summary>For <see cref="Isolation.Committed"/>: aborted transactions within the bytes, by first
    /// offset.</summary>
    public IReadOnlyList<AbortedTransaction> Aborted => _aborted;

    internal PartitionRead Found { get; } = new();

    internal List<AbortedTransaction> AbortedList => _aborted;

    /// <summary>Reads a part of the file's region, from <paramref name="at"/> bytes behind its begin.</summary>
    public int ReadFile(int at, Span<byte> buffer) => Found.ReadFile(at, buffer);

    /// <summary>As <see cref="ReadFile"/>, without holding the thread.</summary>
    public ValueTask<int> ReadFileAsync(int at, Memory<byte> buffer, CancellationToken cancellation) =>
        Found.ReadFileAsync(at, buffer, cancellation);

    /// <summary>Copies everything, wherever it is.</summary>
    public void CopyTo(IBufferWriter<byte> target) => Found.CopyTo(target);

    /// <summary>Gives back what was borrowed; the object can be used again.</summary>
    public void Reset()
    {
        Found.Reset();
        _aborted.Clear();
        HighWatermark = LastStableOffset = StartOffset = DivergingEndOffset = DivergingEpoch = -1;
    }

    /// <inheritdoc/>
    public void Dispose() => Reset();
}

/// <summary>Where a timestamp, or a special one, is.</summary>
/// <param name="Error">Why it cannot be said.</param>
/// <param name="Offset">The offset; -1 when no record is as young.</param>
/// <param name="TimestampMs">The record's timestamp; -1 for the ends.</param>
/// <param name="LeaderEpoch">The epoch of the record; -1 when not known.</param>
public readonly record struct OffsetResult(StreamError Error, long Offset, long TimestampMs, int LeaderEpoch);

/// <summary>Where an epoch ended.</summary>
/// <param name="Error">Why it cannot be said.</param>
/// <param name="LeaderEpoch">The largest epoch at or below the one asked for; -1 when there is none.</param>
/// <param name="EndOffset">The offset behind its last record; -1 when there is none.</param>
public readonly record struct EpochEndResult(StreamError Error, int LeaderEpoch, long EndOffset);
