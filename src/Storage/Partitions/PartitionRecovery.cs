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
    public IReadOnlyList<SetAsideFile> SetAside { get; init; } = [];

    /// <summary>What had been durable and is not there; empty on a healthy disk.</summary>
    public IReadOnlyList<string> Damages { get; init; } = [];
}

/// <summary>Bytes that cannot be a part of the partition, in a file of their own.</summary>
/// <param name="Path">That file; the segment's own when there was no room for a copy and the bytes are lost.</param>
/// <param name="Segment">File name of the segment that they were in.</param>
/// <param name="Position">Where they began in it.</param>
/// <param name="Reason">Why they are no part.</param>
public sealed record SetAsideFile(string Path, string Segment, long Position, string Reason);

/// <summary>
/// Brings a partition up: takes over what a mark says, reads the batches behind it, cuts what is torn at the end. What
/// was durable, as the <see cref="DurableMarks"/> know, and is bad now is damage: it is set aside, what is behind
/// stays, and its offsets are not used again.
/// </summary>
internal sealed class PartitionRecovery(
    PartitionStore store, PartitionLog log, PartitionPlace place, IBatchVisitor visitor)
{
    private const string NoBatch = "what stands there is no batch";
    private readonly PartitionMark? _mark = place.Mark;
    private readonly long _durable = Math.Max(place.Mark?.NextOffset ?? 0, store.DurableOf(log));
    private readonly List<SetAsideFile> _setAside = [];
    private readonly List<string> _damages = [];
    private long _batches;
    private long _tornBytes;
    private long _nextOffset;

    /// <summary>Recovers the segments with these first offsets, in order.</summary>
    public PartitionReport Run(IReadOnlyList<long> bases)
    {
        bool startsAtMark = _mark is not null && (!place.MayBeRewritten || bases.Count == 0);
        _nextOffset = startsAtMark ? _mark!.NextOffset : bases.Count == 0 ? 0 : bases[0];
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
            if (isCut || (known is null && baseOffset != _nextOffset && !SkipGap(baseOffset)))
            {
                isCut = true;
                SetAside(segment);
                continue;
            }

            log.Segments.Add(segment);
            isCut = place.MayBeRewritten ? ReadWhole(segment, known) : ReadBehind(segment, known);
        }

        SkipToDurable();
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
        return !IsSealed(segment.BaseOffset) && !IsWhole(segment, known) && Scan(segment);
    }

    /// <summary>Whether the mark knows a segment to its last byte: such a file is not even opened, which with thousands
    /// of partitions is most of a start.</summary>
    private bool IsWhole(PartitionSegment segment, SegmentMark? known) =>
        known is { } figures && store.FileSystem.LengthOf(segment.Path) == figures.SizeBytes;

    /// <summary>Compaction puts a smaller file in a segment's place, and a power cut may come before the next mark:
    /// sizes and positions in the mark are then those of the file that is gone. The offsets hold.</summary>
    private bool ReadWhole(PartitionSegment segment, SegmentMark? known)
    {
        _nextOffset = segment.BaseOffset;
        bool isCut = Scan(segment);
        if (known is not { } figures || !IsSealed(segment.BaseOffset))
        {
            return isCut;
        }

        log.Segments[^1].NextOffset = _nextOffset = figures.NextOffset;
        return false;
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

    /// <summary>True when what is missing in front of a segment was durable: then the segment was too.</summary>
    private bool SkipGap(long baseOffset)
    {
        if (baseOffset < _nextOffset || baseOffset > _durable)
        {
            return false;
        }

        NoteGone(baseOffset);
        return true;
    }

    /// <summary>Offsets that were acknowledged are never given to other records.</summary>
    private void SkipToDurable()
    {
        if (_nextOffset < _durable)
        {
            NoteGone(_durable);
            if (log.Segments is [.., var last])
            {
                last.NextOffset = _durable;
            }
        }
    }

    private void NoteGone(long until)
    {
        _damages.Add($"the records of offsets {_nextOffset} to {until - 1} are not there");
        _nextOffset = until;
    }

    /// <summary>True when the segment's end was torn off: what follows was never acknowledged either.</summary>
    private bool Scan(PartitionSegment segment)
    {
        var damaged = new List<(long From, long To)>();
        IFile file = store.Files.Hold(segment);
        try
        {
            long length = file.Length;
            if (length < segment.SizeBytes)
            {
                Forget(segment, length);
            }

            long end = ScanBatches(segment, file, damaged, out long seen);
            bool isTorn = end < length && seen >= _durable;
            if (end < length)
            {
                CutFrom(segment, file, end, isTorn);
            }

            if (damaged.Count == 0)
            {
                return isTorn;
            }

            SegmentRepair.WriteGood(store.FileSystem, segment, file, damaged, end);
            store.Files.Drop(segment);
            log.Segments[^1] = segment.Renewed();
            return isTorn;
        }
        finally
        {
            store.Files.Release(segment);
            if (damaged.Count > 0)
            {
                SegmentRepair.Swap(store.FileSystem, segment);
            }
        }
    }

    /// <summary>Goes over batches; those that were durable and have a wrong checksum are left out. Returns where the
    /// last one ends; <paramref name="seen"/>: the offset up to which there was something.</summary>
    private long ScanBatches(
        PartitionSegment segment, IFile file, List<(long From, long To)> damaged, out long seen)
    {
        seen = _nextOffset;
        long end = segment.SizeBytes;
        using var scan = new BatchScan(file, file.Length, end);
        while (scan.TryNext(out RecordBatch batch) && batch.BaseOffset >= _nextOffset)
        {
            if (batch.IsCrcValid)
            {
                log.NoteBatch(segment, batch);
                seen = _nextOffset = batch.NextOffset;
                _batches++;
                if (!place.MayBeRewritten || batch.BaseOffset >= (_mark?.NextOffset ?? 0))
                {
                    visitor.Visit(batch);
                }
            }
            else if (_nextOffset < _durable)
            {
                string reason = $"the checksum of the batch of offset {batch.BaseOffset} is wrong";
                long to = scan.Position + batch.SizeBytes;
                damaged.Add((scan.Position, to));
                Keep(segment, file, scan.Position, to, reason);
                _damages.Add($"{segment.Path} at {scan.Position}: {reason}");
                seen = batch.NextOffset <= _durable ? batch.NextOffset : seen;
            }
            else
            {
                break;
            }

            end = scan.Position + batch.SizeBytes;
        }

        return end;
    }

    private void CutFrom(PartitionSegment segment, IFile file, long end, bool isTorn)
    {
        long length = file.Length;
        if (!isTorn)
        {
            _damages.Add($"{segment.Path} at {end}: {NoBatch}");
            Keep(segment, file, end, length, NoBatch);
        }
        else if (TornTail.HoldsBatch(file, end, length, _nextOffset))
        {
            Keep(segment, file, end, length, "bytes that are no batch stand before whole batches");
        }

        _tornBytes += length - end;
        file.SetLength(end);
        file.Sync();
    }

    private void Keep(PartitionSegment segment, IFile file, long from, long to, string reason)
    {
        string kept = TornTail.Keep(store.FileSystem, segment, file, from, to);
        _setAside.Add(new SetAsideFile(kept, NameOf(segment), from, reason));
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
        string path = segment.Path + TornTail.DamagedSuffix;
        store.FileSystem.Rename(segment.Path, path);
        store.FileSystem.SyncDirectory(log.Directory);
        _setAside.Add(new SetAsideFile(path, NameOf(segment), 0, "what should be in front of it is not there"));
    }

    private string NameOf(PartitionSegment segment) =>
        PartitionSegment.NameOf(log.Number, segment.BaseOffset, PartitionSegment.LogSuffix);
}
