using System.Buffers;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// Looks for the next whole batch behind bytes that are none. A batch does not know its place in the file, so what is
/// found may also be a copy of one inside of a record: good enough to report or to keep bytes by, not to go on reading
/// from.
/// </summary>
internal static class BatchSearch
{
    private const int WindowBytes = 1 << 20;

    /// <summary>Where a batch with a good checksum begins, at or behind <paramref name="from"/> and wholly below
    /// <paramref name="to"/>, whose base offset is at least <paramref name="offsetMin"/>; -1 if nowhere.</summary>
    public static long Find(IFile file, long from, long to, long offsetMin)
    {
        byte[] window = ArrayPool<byte>.Shared.Rent(WindowBytes);
        try
        {
            while (to - from >= RecordBatch.HeaderBytes)
            {
                int wanted = (int)Math.Min(WindowBytes, to - from);
                ReadOnlySpan<byte> bytes = window.AsSpan(0, file.Read(from, window.AsSpan(0, wanted)));
                int starts = bytes.Length - RecordBatch.HeaderBytes + 1;
                for (int at = 0; at < starts; at++)
                {
                    if (bytes[at + 16] == RecordBatch.MagicV2
                        && IsBatch(file, from + at, to, bytes[at..], offsetMin))
                    {
                        return from + at;
                    }
                }

                if (bytes.Length < wanted)
                {
                    return -1;
                }

                from += starts;
            }

            return -1;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(window);
        }
    }

    private static bool IsBatch(IFile file, long at, long to, ReadOnlySpan<byte> bytes, long offsetMin)
    {
        if (RecordBatch.TryReadHeader(bytes, out RecordBatch header) != RecordBatchFault.None
            || header.BaseOffset < offsetMin || header.BaseOffset - offsetMin >= int.MaxValue
            || header.SizeBytes > to - at)
        {
            return false;
        }

        if (header.SizeBytes <= bytes.Length)
        {
            return IsGood(bytes);
        }

        byte[] whole = ArrayPool<byte>.Shared.Rent(header.SizeBytes);
        try
        {
            return IsGood(whole.AsSpan(0, file.Read(at, whole.AsSpan(0, header.SizeBytes))));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private static bool IsGood(ReadOnlySpan<byte> bytes) =>
        RecordBatch.TryRead(bytes, out RecordBatch batch) == RecordBatchFault.None && batch.IsCrcValid;
}
