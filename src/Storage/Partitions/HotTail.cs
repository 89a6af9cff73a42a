using Pillarbox.Model;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// The newest bytes of a partition in memory: chunks without a gap, up to the end of the log. All that waits for the
/// disk
/// is here. Under the log's lock.
/// </summary>
internal sealed class HotTail(PartitionLog log, HotMemory memory)
{
    private readonly List<HotChunk> _chunks = [];

    /// <summary>Whether an offset lies in memory.</summary>
    public bool Holds(long offset) => _chunks.Count > 0 && offset >= _chunks[0].BaseOffset;

    /// <summary>A chunk of a segment with room for a batch.</summary>
    public HotChunk MakeRoom(PartitionSegment segment, int batchBytes, long baseOffset)
    {
        HotChunk? tail = _chunks.Count == 0 ? null : _chunks[^1];
        if (tail is not null && ReferenceEquals(tail.Segment, segment) && tail.Room >= batchBytes)
        {
            return tail;
        }

        HotChunk chunk = memory.Rent(batchBytes, tail?.Bytes ?? 0);
        chunk.Begin(log, segment, baseOffset);
        _chunks.Add(chunk);
        memory.Enlist(chunk);
        return chunk;
    }

    /// <summary>Takes what was appended since the last time.</summary>
    public void Capture(List<ChunkSlice> slices)
    {
        foreach (HotChunk chunk in _chunks)
        {
            if (chunk.Captured < chunk.Used)
            {
                chunk.Hold();
                slices.Add(new ChunkSlice(chunk, chunk.Captured, chunk.Used));
                chunk.Captured = chunk.Used;
            }
        }
    }

    /// <summary>Takes the oldest chunk out of use; false while it waits for the disk.</summary>
    public bool TryEvict(HotChunk chunk)
    {
        if (chunk.IsDropped)
        {
            return true;
        }

        if (chunk.Written < chunk.Used)
        {
            return false;
        }

        Invariant.That(ReferenceEquals(_chunks[0], chunk));
        _chunks.RemoveAt(0);
        return true;
    }

    /// <summary>Forgets the memory of a segment, or of all; returns the bytes that will not be written any
    /// more.</summary>
    public long Drop(PartitionSegment? segment)
    {
        int kept = 0;
        long unwritten = 0;
        for (int i = 0; i < _chunks.Count; i++)
        {
            HotChunk chunk = _chunks[i];
            if (segment is not null && !ReferenceEquals(chunk.Segment, segment))
            {
                _chunks[kept++] = chunk;
                continue;
            }

            unwritten += chunk.Used - chunk.Captured;
            chunk.IsDropped = true;
        }

        _chunks.RemoveRange(kept, _chunks.Count - kept);
        return unwritten;
    }

    /// <summary>Adds whole batches to a read.</summary>
    public void Read(in ColdRange wanted, long nextOffset, PartitionRead into)
    {
        int index = _chunks.Count - 1;
        while (index > 0 && _chunks[index].BaseOffset > wanted.Offset)
        {
            index--;
        }

        int from = _chunks[index].Find(wanted.Offset);
        for (; index < _chunks.Count; index++, from = 0)
        {
            HotChunk chunk = _chunks[index];
            long chunkNext = index + 1 < _chunks.Count ? _chunks[index + 1].BaseOffset : nextOffset;
            int to = EndOf(chunk, chunkNext, from, wanted, into.Bytes);
            if (to > from)
            {
                into.Add(chunk, from, to);
                into.EndOffset = to < chunk.Used ? chunk.BaseOffsetAt(to) : chunkNext;
            }

            if (to < chunk.Used)
            {
                return;
            }
        }
    }

    /// <summary>Base offset of a segment's first batch in memory whose largest timestamp is at least this; -1 if
    /// none.</summary>
    public long FindTime(PartitionSegment segment, long timestampMs)
    {
        foreach (HotChunk chunk in _chunks)
        {
            long found = ReferenceEquals(chunk.Segment, segment) ? chunk.FindTime(timestampMs) : -1;
            if (found >= 0)
            {
                return found;
            }
        }

        return -1;
    }

    /// <summary>Where in a segment memory begins; false when none of it is in memory.</summary>
    public bool TryGetStart(PartitionSegment segment, out int position, out long offset)
    {
        foreach (HotChunk chunk in _chunks)
        {
            if (ReferenceEquals(chunk.Segment, segment))
            {
                (position, offset) = (chunk.Start, chunk.BaseOffset);
                return true;
            }
        }

        (position, offset) = (0, 0);
        return false;
    }

    private static int EndOf(HotChunk chunk, long chunkNext, int from, in ColdRange wanted, int taken)
    {
        int end = wanted.Limit >= chunkNext ? chunk.Used : chunk.Find(wanted.Limit);
        int room = Math.Max(0, wanted.BytesMax - taken);
        if (end - from <= room)
        {
            return end;
        }

        int to = chunk.FloorBorder(from, from + room);
        return to == from && taken == 0 && wanted.AtLeastOne ? from + chunk.BatchBytesAt(from) : to;
    }
}
