using System.Runtime.CompilerServices;

namespace Pillarbox.Storage;

/// <summary>
/// A stretch of the log in memory, whole records only. Counted: the cache holds one count, the flusher and each lease
/// another; the last one gives the memory back. <see cref="Used"/> only grows, under the appender's lock.
/// </summary>
internal sealed class LogBlock
{
    private readonly BlockPool _pool;
    private int _holds = 1;
    private int _used;
    private int _written;

    public LogBlock(byte[] data, long start, LogSegment segment, BlockPool pool)
    {
        Data = data;
        Start = start;
        Segment = segment;
        _pool = pool;
    }

    public byte[] Data { get; }

    /// <summary>Position of the first byte.</summary>
    public long Start { get; }

    public LogSegment Segment { get; }

    /// <summary>Bytes that hold records.</summary>
    public int Used => Volatile.Read(ref _used);

    /// <summary>Position behind the last record.</summary>
    public long End => Start + Used;

    /// <summary>Bytes that a further record may take. Room for a seal is always left.</summary>
    public int Room => Data.Length - RecordFormat.SealBytes - _used;

    /// <summary>True when no more is appended. Set under the appender's lock.</summary>
    public bool IsSealed { get; set; }

    /// <summary>True while the block is in the list of blocks to write. Appender's lock.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Bytes that a flush has taken. Appender's lock.</summary>
    public int Captured { get; set; }

    /// <summary>The cache's clock when it was last read.</summary>
    public long LastUse { get; set; }

    /// <summary>True when the bytes came from disk: to be verified at each use.</summary>
    public bool IsFromDisk { get; init; }

    /// <summary>True when the same bytes can be read from disk.</summary>
    public bool IsOnDisk => IsFromDisk || (IsSealed && Volatile.Read(ref _written) == Used);

    /// <summary>Makes appended bytes visible to readers.</summary>
    public void Publish(int used) => Volatile.Write(ref _used, used);

    /// <summary>Notes that bytes up to here have been handed to the operating system.</summary>
    public void NoteWritten(int written) => Volatile.Write(ref _written, written);

    /// <summary>Takes a hold; false when the memory has been given back already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryHold()
    {
        int holds = Volatile.Read(ref _holds);
        while (holds > 0)
        {
            int seen = Interlocked.CompareExchange(ref _holds, holds + 1, holds);
            if (seen == holds)
            {
                return true;
            }

            holds = seen;
        }

        return false;
    }

    /// <summary>Lets go of one hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            _pool.Return(Data);
        }
    }
}
