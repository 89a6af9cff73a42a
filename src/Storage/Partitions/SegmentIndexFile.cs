using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Model;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// The sparse index of a full segment in a file beside it, so that a first read after a start need not go over the
/// whole
/// segment. Little-endian: magic u32, size of the segment i32, count i32, entries (relative offset i32, position i32,
/// timestamp i64), CRC32C u32. It may be missing or wrong: then it is made anew.
/// </summary>
internal static class SegmentIndexFile
{
    private const uint Magic = 0x58494250;
    private const int HeadBytes = 12;
    private const int EntryBytes = 16;

    /// <summary>Writes the index of a segment that takes no more appends. Not synced.</summary>
    public static void Write(IFileSystem files, PartitionSegment segment)
    {
        byte[] bytes;
        lock (segment.Log.Gate)
        {
            bytes = Encode(segment);
        }

        using IFile file = files.Open(segment.IndexPath, FileOpening.OpenOrCreate);
        file.SetLength(0);
        file.Write(0, bytes);
        segment.IsIndexSaved = true;
    }

    /// <summary>Reads the index of a segment; null when there is no good one.</summary>
    public static SegmentIndex? TryRead(IFileSystem files, PartitionSegment segment)
    {
        if (!files.Exists(segment.IndexPath))
        {
            return null;
        }

        using IFile file = files.Open(segment.IndexPath, FileOpening.Read);
        int length = (int)Math.Min(file.Length, HeadBytes + (SegmentIndex.EntriesMax * EntryBytes) + sizeof(uint));
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            return Decode(bytes.AsSpan(0, file.Read(0, bytes.AsSpan(0, length))), segment);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static byte[] Encode(PartitionSegment segment)
    {
        ReadOnlySpan<IndexEntry> entries = segment.Index.Entries;
        byte[] bytes = new byte[HeadBytes + (entries.Length * EntryBytes) + sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), segment.SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), entries.Length);
        Span<byte> to = bytes.AsSpan(HeadBytes);
        foreach (IndexEntry entry in entries)
        {
            BinaryPrimitives.WriteInt32LittleEndian(to, entry.RelativeOffset);
            BinaryPrimitives.WriteInt32LittleEndian(to[4..], entry.Position);
            BinaryPrimitives.WriteInt64LittleEndian(to[8..], entry.TimestampMaxBeforeMs);
            to = to[EntryBytes..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(to, Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        return bytes;
    }

    private static SegmentIndex? Decode(ReadOnlySpan<byte> bytes, PartitionSegment segment)
    {
        if (bytes.Length < HeadBytes + sizeof(uint)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) != segment.SizeBytes
            || Crc32C.Compute(bytes[..^sizeof(uint)])
                != BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]))
        {
            return null;
        }

        SegmentIndex index = segment.Log.NewIndex();
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        for (int at = HeadBytes; count > 0 && at + EntryBytes <= bytes.Length; at += EntryBytes, count--)
        {
            ReadOnlySpan<byte> entry = bytes[at..];
            index.Note(
                BinaryPrimitives.ReadInt32LittleEndian(entry),
                BinaryPrimitives.ReadInt32LittleEndian(entry[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(entry[8..]));
        }

        return index;
    }
}
