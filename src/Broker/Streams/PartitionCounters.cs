namespace Pillarbox.Broker.Streams;

/// <summary>What went through a partition since the node started. Appends count under the partition's lock; any thread
/// counts reads, and reads the figures a little late.</summary>
internal sealed class PartitionCounters
{
    private long _appendedRecords;
    private long _appendedBytes;
    private long _readBytes;

    public long AppendedRecords => Volatile.Read(ref _appendedRecords);

    public long AppendedBytes => Volatile.Read(ref _appendedBytes);

    public long ReadBytes => Volatile.Read(ref _readBytes);

    /// <summary>A batch was appended; its owner holds the lock.</summary>
    public void NoteAppended(int records, int bytes)
    {
        Volatile.Write(ref _appendedRecords, _appendedRecords + records);
        Volatile.Write(ref _appendedBytes, _appendedBytes + bytes);
    }

    /// <summary>So many bytes were given to a reader.</summary>
    public void NoteRead(int bytes) => Interlocked.Add(ref _readBytes, bytes);
}
