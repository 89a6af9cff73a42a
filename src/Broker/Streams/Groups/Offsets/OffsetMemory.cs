namespace Pillarbox.Broker.Streams.Groups.Offsets;

/// <summary>
/// Bounds what committed offsets, and those of open transactions, take of memory in all groups of a coordinator: <see
/// cref="GroupOptions.OffsetsBytesMax"/>. What is read back at a start counts and is not refused, nor is an offset in
/// the place of one that took as much. One owner, the loop; the figures are for any thread.
/// </summary>
internal sealed class OffsetMemory(GroupOptions options)
{
    /// <summary>A group that has offsets, whatever it is called.</summary>
    public const int GroupBytes = 512;

    /// <summary>A topic of a group, without its name.</summary>
    public const int TopicBytes = 256;

    /// <summary>An offset, without its metadata.</summary>
    public const int OffsetBytes = 128;

    private long _bytes;
    private long _refused;

    /// <summary>Bytes of memory, as an estimate. Any thread.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Offsets that were refused because there was no room, since start. Any thread.</summary>
    public long RefusedTotal => Volatile.Read(ref _refused);

    /// <summary>Whether so many bytes more fit.</summary>
    public bool HasRoom(long more) => _bytes + more <= options.OffsetsBytesMax;

    /// <summary>Something came, or went when it is negative.</summary>
    public void Add(long bytes) => Volatile.Write(ref _bytes, _bytes + bytes);

    /// <summary>So many offsets were refused.</summary>
    public void CountRefused(int offsets) => Volatile.Write(ref _refused, _refused + offsets);
}
