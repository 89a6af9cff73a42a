namespace Pillarbox.Storage.Partitions;

/// <summary>What an acknowledgement of an append means.</summary>
public enum FlushMode : byte
{
    /// <summary>On disk: one group commit for all partitions that wait.</summary>
    Group = 0,

    /// <summary>With the operating system: survives the process, not the machine.</summary>
    System = 1,
}

/// <summary>Sizes and promises of one partition; may change while it runs.</summary>
public readonly record struct PartitionOptions
{
    /// <summary>The defaults.</summary>
    public PartitionOptions()
    {
    }

    /// <summary>Size at which a segment is full, in bytes. A larger batch makes a larger segment. 1 KiB to
    /// 2 GiB - 1.</summary>
    public int SegmentBytes { get; init; } = 1 << 30;

    /// <summary>Bytes between two entries of the sparse index; grows by itself in large segments.</summary>
    public int IndexIntervalBytes { get; init; } = 4096;

    /// <summary>What an acknowledgement means.</summary>
    public FlushMode Flush { get; init; } = FlushMode.Group;
}

/// <summary>Limits of all partitions of a node together. Immutable.</summary>
public sealed record PartitionStoreOptions
{
    /// <summary>Memory for the newest bytes of partitions, so that consumers at the end never touch the disk. Bytes
    /// that
    /// wait for the disk are kept in any case.</summary>
    public long CacheBytes { get; init; } = 64L << 20;

    /// <summary>Bytes that may wait for the disk before appends are refused.</summary>
    public long PendingBytesMax { get; init; } = 32L << 20;

    /// <summary>Files kept open; the least recently used one is closed first.</summary>
    public int OpenFilesMax { get; init; } = 512;

    /// <summary>False: nothing runs by itself, <see cref="PartitionStore.Flush"/> does a pass.</summary>
    public bool OwnThread { get; init; } = true;
}
