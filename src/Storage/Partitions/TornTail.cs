namespace Pillarbox.Storage.Partitions;

/// <summary>
/// What stands behind the last good batch of a partition, or in the middle of a damaged one. Mostly it is the rest of a
/// write that was under way; but when whole batches follow, a power cut has written the later ones first, or a disk has
/// damaged the earlier ones: then the bytes are kept beside the segment before they are cut.
/// </summary>
internal static class TornTail
{
    /// <summary>What is kept ends so.</summary>
    public const string DamagedSuffix = ".damaged";

    /// <summary>Whether a batch is looked for in so many bytes at most.</summary>
    public const int SearchBytesMax = 8 << 20;

    /// <summary>Whether a good batch with a later offset begins somewhere behind <paramref name="from"/>.</summary>
    public static bool HoldsBatch(IFile file, long from, long to, long nextOffset) =>
        BatchSearch.Find(file, from + 1, Math.Min(to, from + SearchBytesMax), nextOffset + 1) >= 0;

    /// <summary>Copies what will be cut into a file of its own, durably, unless the disk is full: a node must start on
    /// that too. Returns its path.</summary>
    public static string Keep(IFileSystem files, PartitionSegment segment, IFile file, long from, long to)
    {
        string path = FormattableString.Invariant($"{segment.Path}.{from}{DamagedSuffix}");
        try
        {
            using IFile copy = files.Open(path, FileOpening.OpenOrCreate);
            copy.SetLength(0);
            SegmentRepair.Copy(file, from, to, copy, 0);
            copy.Sync();
            files.SyncDirectory(segment.Log.Directory);
            return path;
        }
        catch (StorageFullException)
        {
            files.Delete(path);
            return segment.Path;
        }
    }
}
