using System.Buffers;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>Sees batches in order. The bytes are valid during the call only.</summary>
public interface IBatchVisitor
{
    /// <summary>A whole batch with a good checksum.</summary>
    void Visit(in RecordBatch batch);
}

/// <summary>What recovery of a partition found.</summary>
public sealed record PartitionReport
{
    /// <summary>Batches read.</summary>
    public long Batches { get; init; }

    /// <summary>Bytes behind the last good batch, which were cut or set aside: a write that was under way.</summary>
    public long TornBytes { get; init; }

    /// <summary>Files set aside as *.damaged.</summary>
    public IReadOnlyList<string> SetAside { get; init; } = [];

    /// <summary>What had been durable and is not there; empty on a healthy disk.</summary>
    public IReadOnlyList<string> Damages { get; init; } = [];
}

/// <summary>Brings a partition up: takes over what a mark says, reads the batches behind it, cuts what is torn at the
/// end.</summary>
internal sealed class PartitionRecovery(
    PartitionStore store, PartitionLog log, PartitionPlace place, IBatchVisitor visitor)
{
    private const string DamagedSuffix = ".damaged";
    private readonly PartitionMark? _mark = place.Mark;
    private readonly List<string> _setAside = [];
    private readonly List<string> _damages = [];
    private long _batches;
    private long _tornBytes;
    private long _nextOffset;

    public PartitionReport Run(string[] names)
    {
        long[] bases = BasesOf(names);
        bool startsAtMark = _mark is not null && (!place.MayBeRewritten || bases.Length == 0);
        _nextOffset = startsAtMark ? _mark!.NextOffset : bases.Length == 0 ? 0 : bases[0];
        bool isCut = false;
        long firstKnown = _mark is { Segments: [var first, ..] } ? first.BaseOffset : long.MinValue;
        foreach (long baseOffset in bases)
        {
            if (baseOffset < firstKnown)
            {
                DeleteAgain(baseOffset);
                continue;
            }

            PartitionSegment segment = log.NewSegment(baseOffset);
            segment.IsOnDisk = true;
            SegmentMark? known = FindMark(baseOffset);
            // Segments join without gaps. Where one does not, what should be before it was torn off by a power cut.
            if (isCut || (known is null && baseOffset != _nextOffset))
            {
                isCut = true;
                SetAside(segment);
                continue;
            }

            log.Segments.Add(segment);
            isCut = place.MayBeRewritten ? ReadWhole(segment, known) : ReadBehind(segment, known);
        }

        CheckEnd();
        log.Recover(_nextOffset);
        return new PartitionReport
        {
            Batches = _batches,
            TornBytes = _tornBytes,
            SetAside = _setAside,
            Damages = _damages,
        };
    }

    /// <summary>Deletions are not synced: a power cut may bring back what was gone before the mark.</summary>
    private void DeleteAgain(long baseOffset)
    {
        store.FileSystem.Delete(log.PathOf(baseOffset, PartitionSegment.LogSuffix));
        store.FileSystem.Delete(log.PathOf(baseOffset, PartitionSegment.IndexSuffix));
    }

    private long[] BasesOf(string[] names)
    {
        var bases = new List<long>();
        foreach (string name in names)
        {
            if (PartitionSegment.TryParseName(name, PartitionSegment.LogSuffix, out int partition, out long baseOffset)
                && partition == log.Number)
            {
                bases.Add(baseOffset);
            }
        }

        bases.Sort();
        return [.. bases];
    }

    private SegmentMark? FindMark(long baseOffset)
    {
        foreach (SegmentMark segment in _mark?.Segments ?? [])
        {
            if (segment.BaseOffset == baseOffset)
            {
                return segment;
            }
        }

        return null;
    }

    /// <summary>Whether the mark knows all of a segment.</summary>
    private bool IsSealed(long baseOffset) =>
        _mark is { Segments: [.., var last] } && baseOffset < last.BaseOffset && FindMark(baseOffset) is not null;

    /// <summary>Takes over what the mark says of a segment, and reads what stands behind it.</summary>
    private bool ReadBehind(PartitionSegment segment, SegmentMark? known)
    {
        Restore(segment, known);
        return !IsSealed(segment.BaseOffset) && Scan(segment);
    }

    /// <summary>Compaction puts a smaller file in a segment's place, and a power cut may come before the next mark:
    /// sizes and positions in the mark are then those of the file that is gone. The offsets hold.</summary>
    private bool ReadWhole(PartitionSegment segment, SegmentMark? known)
    {
        _nextOffset = segment.BaseOffset;
        bool isCut = Scan(segment);
        if (IsSealed(segment.BaseOffset) && known is { } figures)
        {
            segment.NextOffset = _nextOffset = figures.NextOffset;
        }

        return isCut;
    }

    /// <summary>An offset that was durable is never given to another record.</summary>
    private void CheckEnd()
    {
        if (place.MayBeRewritten && _mark is { } mark && _nextOffset < mark.NextOffset)
        {
            _damages.Add($"{log.Directory}, partition {log.Number}: records end at {_nextOffset}, "
                + $"they ended at {mark.NextOffset}");
            _nextOffset = mark.NextOffset;
        }
    }

    private static void Restore(PartitionSegment segment, SegmentMark? known)
    {
        if (known is { } figures)
        {
            segment.SizeBytes = segment.IndexedFrom = figures.SizeBytes;
            segment.NextOffset = figures.NextOffset;
            segment.TimestampFirstMs = figures.TimestampFirstMs;
            segment.TimestampMaxMs = figures.TimestampMaxMs;
            segment.TimestampMaxOffset = figures.TimestampMaxOffset;
        }
    }

    /// <summary>True when the segment's end was torn off: what follows was never acknowledged either.</summary>
    private bool Scan(PartitionSegment segment)
    {
        IFile file = store.Files.Hold(segment);
        try
        {
            long length = file.Length;
            if (length < segment.SizeBytes)
            {
                Forget(segment, length);
            }

            using var scan = new BatchScan(file, length, segment.SizeBytes);
            while (scan.TryNext(out RecordBatch batch) && batch.IsCrcValid && batch.BaseOffset >= _nextOffset)
            {
                log.NoteBatch(segment, batch);
                _nextOffset = batch.NextOffset;
                _batches++;
                if (!place.MayBeRewritten || batch.BaseOffset >= (_mark?.NextOffset ?? 0))
                {
                    visitor.Visit(batch);
                }
            }

            if (length == segment.SizeBytes)
            {
                return false;
            }

            if (place.MayBeRewritten && IsSealed(segment.BaseOffset))
            {
                // It was whole when it was closed: that is damage, and what follows stays.
                _damages.Add($"{segment.Path} is damaged at byte {segment.SizeBytes}");
                segment.SizeBytes = (int)length;
                return false;
            }

            _tornBytes += length - segment.SizeBytes;
            if (TornTail.HoldsBatch(file, segment.SizeBytes, length, _nextOffset))
            {
                _setAside.Add(TornTail.Keep(store.FileSystem, segment, file, length));
            }

            file.SetLength(segment.SizeBytes);
            file.Sync();
            return true;
        }
        finally
        {
            store.Files.Release(segment);
        }
    }

    /// <summary>The file is shorter than it surely was: reads what is left of it.</summary>
    private void Forget(PartitionSegment segment, long length)
    {
        _damages.Add($"{segment.Path} has {length} bytes and had {segment.SizeBytes}");
        segment.SizeBytes = segment.IndexedFrom = 0;
        segment.NextOffset = _nextOffset = segment.BaseOffset;
        segment.TimestampFirstMs = segment.TimestampMaxMs = segment.TimestampMaxOffset = -1;
    }

    private void SetAside(PartitionSegment segment)
    {
        string path = segment.Path;
        store.FileSystem.Rename(path, path + DamagedSuffix);
        store.FileSystem.SyncDirectory(log.Directory);
        _setAside.Add(path);
    }
}

/// <summary>Reads a file's batches one after another through a window of memory. One owner.</summary>
internal sealed class BatchScan(IFile file, long end, long from = 0) : IDisposable
{
    private const int WindowBytes = 256 << 10;
    private byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long _windowStart = from;
    private int _windowBytes;
    private int _at;

    /// <summary>Where the batch that was read last begins in the file.</summary>
    public long Position { get; private set; }

    /// <summary>The next batch: lengths fit, the checksum is not looked at. False at the end, or where there is
    /// none.</summary>
    public bool TryNext(out RecordBatch batch)
    {
        Position = _windowStart + _at;
        RecordBatchFault fault = RecordBatch.TryRead(_window.AsSpan(_at, _windowBytes - _at), out batch);
        if (fault == RecordBatchFault.Incomplete && TryLoad())
        {
            fault = RecordBatch.TryRead(_window.AsSpan(_at, _windowBytes - _at), out batch);
        }

        if (fault != RecordBatchFault.None)
        {
            return false;
        }

        _at += batch.SizeBytes;
        return true;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_window);

    /// <summary>Loads a window that holds the whole next batch; false when the file is too short for it.</summary>
    private bool TryLoad()
    {
        Load(WindowBytes);
        if (RecordBatch.TryReadHeader(_window.AsSpan(0, _windowBytes), out RecordBatch header) != RecordBatchFault.None
            || header.SizeBytes > end - _windowStart)
        {
            return false;
        }

        if (header.SizeBytes > _windowBytes)
        {
            Load(header.SizeBytes);
        }

        return true;
    }

    private void Load(int bytes)
    {
        _windowStart += _at;
        _at = 0;
        if (_window.Length < bytes)
        {
            ArrayPool<byte>.Shared.Return(_window);
            _window = ArrayPool<byte>.Shared.Rent(bytes);
        }

        int wanted = (int)Math.Min(Math.Max(bytes, WindowBytes), Math.Max(0, end - _windowStart));
        _windowBytes = file.Read(_windowStart, _window.AsSpan(0, Math.Min(wanted, _window.Length)));
    }
}
