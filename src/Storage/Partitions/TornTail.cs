using System.Buffers;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// What stands behind the last good batch of a partition. Mostly it is the rest of a write that was under way; but when
/// whole
/// batches follow, a power cut has written the later ones first, or a disk has damaged the earlier ones: then the bytes
/// are
/// kept beside the segment before they are cut.
/// </summary>
internal static class TornTail
{
    /// <summary>Whether a batch is looked for in so many bytes at most.</summary>
    public const int SearchBytesMax = 8 << 20;

    private const int CopyBytes = 1 << 20;
    public const string DamagedSuffix = ".damaged";

    /// <summary>Whether a good batch with a later offset begins somewhere behind <paramref name="from"/>.</summary>
    public static bool HoldsBatch(IFile file, long from, long to, long nextOffset)
    {
        int bytes = (int)Math.Min(to - from, SearchBytesMax);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            ReadOnlySpan<byte> tail = buffer.AsSpan(0, file.Read(from, buffer.AsSpan(0, bytes)));
            for (int at = 1; at + RecordBatch.HeaderBytes <= tail.Length; at++)
            {
                if (tail[at + 16] == RecordBatch.MagicV2 && IsBatch(tail[at..], nextOffset))
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Copies what will be cut into a file of its own, durably, unless the disk is full: a node must start on
    /// that
    /// too. Returns its path.</summary>
    public static string Keep(IFileSystem files, PartitionSegment segment, IFile file, long to)
    {
        try
        {
            return Copy(files, segment, file, to);
        }
        catch (StorageFullException)
        {
            return segment.Path;
        }
    }

    private static string Copy(IFileSystem files, PartitionSegment segment, IFile file, long to)
    {
        string path = segment.Path + DamagedSuffix;
        using IFile copy = files.Open(path, FileOpening.OpenOrCreate);
        copy.SetLength(0);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            for (long at = segment.SizeBytes; at < to;)
            {
                int read = file.Read(at, buffer.AsSpan(0, (int)Math.Min(CopyBytes, to - at)));
                copy.Write(at - segment.SizeBytes, buffer.AsSpan(0, read));
                at += Math.Max(1, read);
            }

            copy.Sync();
            files.SyncDirectory(segment.Log.Directory);
            return path;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsBatch(ReadOnlySpan<byte> bytes, long nextOffset) =>
        RecordBatch.TryRead(bytes, out RecordBatch batch) == RecordBatchFault.None
        && batch.BaseOffset > nextOffset && batch.BaseOffset - nextOffset < int.MaxValue
        && batch.IsCrcValid;
}
