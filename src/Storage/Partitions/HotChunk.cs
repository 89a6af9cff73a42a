using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// A stretch of a partition's newest bytes in memory, whole batches only, all of one segment. Counted: the cache holds
/// one count, the flusher and each read another; the last one gives the memory back. Bytes below <see cref="Used"/>
/// never
/// change; the rest changes under the log's lock.
/// </summary>
internal sealed class HotChunk(int bytes, HotMemory memory)
{
    private const int MarkBytes = 4096;
    private readonly int[] _marks = new int[(bytes / MarkBytes) + 1];
    private int _markCount;
    private int _nextMark;
    private int _holds;

    /// <summary>Its memory, as long as somebody holds it.</summary>
    public ArraySegment<byte> Data { get; private set; }

    /// <summary>Where the memory comes from; null when it is an array of its own.</summary>
    public ChunkSlab? Slab { get; private set; }

    /// <summary>Its size, also while it has no memory.</summary>
    public int Bytes => bytes;

    public PartitionLog Log { get; private set; } = null!;

    public PartitionSegment Segment { get; private set; } = null!;

    /// <summary>Position of the first byte in the segment's file.</summary>
    public int Start { get; private set; }

    /// <summary>Offset of the first batch.</summary>
    public long BaseOffset { get; private set; }

    /// <summary>Bytes that hold batches.</summary>
    public int Used { get; private set; }

    /// <summary>Bytes that a flush has taken.</summary>
    public int Captured { get; set; }

    /// <summary>Bytes that have been handed to the operating system.</summary>
    public int Written { get; set; }

    /// <summary>True when its partition is gone: only the memory is left.</summary>
    public bool IsDropped { get; set; }

    public int Room => bytes - Used;

    /// <summary>Gets memory of a slab, or an array of its own.</summary>
    public void Place(ChunkSlab? slab, ArraySegment<byte> data) => (Slab, Data) = (slab, data);

    public void Begin(PartitionLog log, PartitionSegment segment, long baseOffset)
    {
        Log = log;
        Segment = segment;
        Start = segment.SizeBytes;
        BaseOffset = baseOffset;
        Used = Captured = Written = _markCount = _nextMark = 0;
        IsDropped = false;
        _holds = 1;
    }

    /// <summary>Bytes appended behind <see cref="Used"/> are a batch now. Log's lock.</summary>
    public void Publish(int batchBytes)
    {
        if (Used >= _nextMark)
        {
            _marks[_markCount++] = Used;
            _nextMark = Used + MarkBytes;
        }

        Used += batchBytes;
    }

    /// <summary>Where the batch that holds an offset begins, or the first behind it; <see cref="Used"/> when all are
    /// below. Log's lock.</summary>
    public int Find(long offset)
    {
        int low = 0;
        int high = _markCount - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = BaseOffsetAt(_marks[middle]) <= offset ? (middle, high) : (low, middle - 1);
        }

        int at = _markCount == 0 ? 0 : _marks[low];
        while (at < Used && NextOffsetAt(at) <= offset)
        {
            at += BatchBytesAt(at);
        }

        return at;
    }

    /// <summary>The last border of batches at or below a place, beginning at a border. Log's lock.</summary>
    public int FloorBorder(int from, int at)
    {
        if (at >= Used)
        {
            return Used;
        }

        int low = Array.BinarySearch(_marks, 0, _markCount, at);
        int border = Math.Max(from, _marks[Math.Max(0, low >= 0 ? low : ~low - 1)]);
        while (border + BatchBytesAt(border) <= at)
        {
            border += BatchBytesAt(border);
        }

        return border;
    }

    /// <summary>Base offset of the first batch whose largest timestamp is at least this; -1 if none. Log's lock.
    /// </summary>
    public long FindTime(long timestampMs)
    {
        for (int at = 0; at < Used; at += BatchBytesAt(at))
        {
            if (BinaryPrimitives.ReadInt64BigEndian(Data.AsSpan(at + 35)) >= timestampMs)
            {
                return BaseOffsetAt(at);
            }
        }

        return -1;
    }

    public long BaseOffsetAt(int at) => BinaryPrimitives.ReadInt64BigEndian(Data.AsSpan(at));

    public int BatchBytesAt(int at) =>
        BinaryPrimitives.ReadInt32BigEndian(Data.AsSpan(at + 8)) + Model.Records.RecordBatch.LengthFrom;

    /// <summary>Takes a hold. Only while somebody else holds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Hold() => Interlocked.Increment(ref _holds);

    /// <summary>Lets go of one hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            memory.Return(this);
        }
    }

    private long NextOffsetAt(int at) =>
        BaseOffsetAt(at) + BinaryPrimitives.ReadInt32BigEndian(Data.AsSpan(at + 23)) + 1;
}
