using System.Buffers;

namespace Pillarbox.Storage.Partitions;

/// <summary>Takes stretches out of the middle of a segment: writes what is good into a file beside it, then puts that
/// in its place in one step, so that a crash leaves the one or the other.</summary>
internal static class SegmentRepair
{
    private const int CopyBytes = 1 << 20;

    /// <summary>Writes everything up to <paramref name="end"/> but the damaged stretches, durably.</summary>
    public static void WriteGood(
        IFileSystem files, PartitionSegment segment, IFile file, List<(long From, long To)> damaged, long end)
    {
        string path = segment.Path + SegmentRewrite.CleanedSuffix;
        files.Delete(path);
        using IFile good = files.Open(path, FileOpening.CreateNew);
        long at = 0;
        long written = 0;
        foreach ((long from, long to) in damaged.Append((end, end)))
        {
            Copy(file, at, from, good, written);
            written += from - at;
            at = to;
        }

        good.Sync();
    }

    /// <summary>Puts the new file in place; nobody has the old one open.</summary>
    public static void Swap(IFileSystem files, PartitionSegment segment)
    {
        files.Rename(segment.Path + SegmentRewrite.CleanedSuffix, segment.Path);
        files.Delete(segment.IndexPath);
        files.SyncDirectory(segment.Log.Directory);
    }

    /// <summary>Copies a stretch of a file into another one.</summary>
    public static void Copy(IFile file, long from, long to, IFile target, long targetAt)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            while (from < to)
            {
                int read = file.Read(from, buffer.AsSpan(0, (int)Math.Min(CopyBytes, to - from)));
                if (read == 0)
                {
                    return;
                }

                target.Write(targetAt, buffer.AsSpan(0, read));
                from += read;
                targetAt += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
