using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>What a read wants of a segment.</summary>
internal readonly record struct ColdRange(long Offset, long Limit, int BytesMax, bool AtLeastOne);

/// <summary>Finds places in segments that are no longer in memory: by the sparse index, then over the headers of
/// batches.
/// Not under the log's lock while it reads the disk.</summary>
internal static class ColdReader
{
    /// <summary>Fills in the region of whole batches that is wanted; false when the segment has none.</summary>
    public static bool Read(PartitionStore store, PartitionSegment segment, in ColdRange wanted, PartitionRead into)
    {
        EnsureIndex(store, segment);
        IFile file = store.Files.Hold(segment);
        bool isTaken = false;
        try
        {
            SegmentView view = ViewOf(segment, wanted);
            int from = Find(file, view, view.FromEntry, wanted.Offset, out int batchBytes);
            if (from >= view.SizeBytes)
            {
                return false;
            }

            int end = wanted.Limit >= view.NextOffset
                ? view.SizeBytes
                : Find(file, view, view.LimitEntry, wanted.Limit, out _);
            int bytes = Math.Max(0, end - from);
            long endOffset = Math.Min(wanted.Limit, view.NextOffset);
            if (bytes > wanted.BytesMax)
            {
                bytes = Cut(file, view, from, wanted, batchBytes, ref endOffset) - from;
            }

            if (bytes > 0)
            {
                into.EndOffset = endOffset;
                into.SetRegion(segment, file, store.Files, from, bytes);
                isTaken = true;
            }

            return true;
        }
        finally
        {
            if (!isTaken)
            {
                store.Files.Release(segment);
            }
        }
    }

    /// <summary>Base offset of the first batch, of those on disk, whose largest timestamp is at least this; -1 if
    /// none.</summary>
    public static long FindTime(PartitionStore store, PartitionSegment segment, long timestampMs)
    {
        EnsureIndex(store, segment);
        int from;
        int size;
        lock (segment.Log.Gate)
        {
            (size, _) = segment.Log.ColdEnd(segment);
            from = segment.Index.FloorTime(timestampMs).Position;
            if (segment.TimestampMaxMs < timestampMs || from >= size)
            {
                return -1;
            }
        }

        IFile file = store.Files.Hold(segment);
        try
        {
            using var headers = new HeaderScan(file, size, from);
            while (headers.TryNext(out RecordBatch header))
            {
                if (header.MaxTimestampMs >= timestampMs)
                {
                    return header.BaseOffset;
                }
            }

            return -1;
        }
        finally
        {
            store.Files.Release(segment);
        }
    }

    /// <summary>Completes the index of a segment that an earlier run has written, if that has not been done.</summary>
    public static void EnsureIndex(PartitionStore store, PartitionSegment segment)
    {
        int to = segment.IndexedFrom;
        if (to == 0)
        {
            return;
        }

        SegmentIndex index = SegmentIndexFile.TryRead(store.FileSystem, segment)
            ?? BuildIndex(store, segment, to);
        lock (segment.Log.Gate)
        {
            if (segment.IndexedFrom == to)
            {
                index.Add(segment.Index);
                segment.Index = index;
                segment.IndexedFrom = 0;
            }
        }
    }

    private static SegmentIndex BuildIndex(PartitionStore store, PartitionSegment segment, int to)
    {
        SegmentIndex index = segment.Log.NewIndex();
        IFile file = store.Files.Hold(segment);
        try
        {
            long timestampMaxMs = -1;
            using var headers = new HeaderScan(file, to, 0);
            while (headers.TryNext(out RecordBatch header))
            {
                index.Note((int)(header.BaseOffset - segment.BaseOffset), (int)headers.Position, timestampMaxMs);
                timestampMaxMs = Math.Max(timestampMaxMs, header.MaxTimestampMs);
            }

            return index;
        }
        finally
        {
            store.Files.Release(segment);
        }
    }

    private static SegmentView ViewOf(PartitionSegment segment, in ColdRange wanted)
    {
        lock (segment.Log.Gate)
        {
            SegmentIndex index = segment.Index;
            IndexEntry from = index.FloorOffset(wanted.Offset - segment.BaseOffset);
            IndexEntry limit = index.FloorOffset(wanted.Limit - segment.BaseOffset);
            IndexEntry cut = index.FloorPosition((int)Math.Min(from.Position + (long)wanted.BytesMax, int.MaxValue));
            (int size, long nextOffset) = segment.Log.ColdEnd(segment);
            return new SegmentView(
                size, nextOffset, from.Position, Math.Min(limit.Position, size), Math.Min(cut.Position, size));
        }
    }

    /// <summary>Where the batch that holds the offset begins, or the first behind it.</summary>
    private static int Find(IFile file, in SegmentView view, int from, long offset, out int batchBytes)
    {
        using var headers = new HeaderScan(file, view.SizeBytes, from);
        while (headers.TryNext(out RecordBatch header))
        {
            if (header.NextOffset > offset)
            {
                batchBytes = header.SizeBytes;
                return (int)headers.Position;
            }
        }

        batchBytes = 0;
        return view.SizeBytes;
    }

    /// <summary>The end of the last whole batch within the bytes that are wanted, and the offset there.</summary>
    private static int Cut(
        IFile file, in SegmentView view, int from, in ColdRange wanted, int firstBytes, ref long endOffset)
    {
        bool isFirstTooLarge = firstBytes > wanted.BytesMax;
        if (isFirstTooLarge && !wanted.AtLeastOne)
        {
            return from;
        }

        int border = isFirstTooLarge ? from + firstBytes : Math.Max(from + firstBytes, view.CutEntry);
        using var headers = new HeaderScan(file, view.SizeBytes, border);
        while (headers.TryNext(out RecordBatch header))
        {
            endOffset = header.BaseOffset;
            if (isFirstTooLarge || headers.Position + header.SizeBytes - from > wanted.BytesMax)
            {
                break;
            }

            border = (int)(headers.Position + header.SizeBytes);
        }

        return border;
    }

    /// <summary>What the log's lock guards, at one moment.</summary>
    private readonly record struct SegmentView(
        int SizeBytes, long NextOffset, int FromEntry, int LimitEntry, int CutEntry);
}
