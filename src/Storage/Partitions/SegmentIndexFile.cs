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
        if (!files.Exists(segment.IndexPath)
            || TryRead(files, segment.IndexPath, segment.SizeBytes) is not { } entries)
        {
            return null;
        }

        SegmentIndex index = segment.Log.NewIndex();
        foreach (IndexEntry entry in entries)
        {
            index.Note(entry.RelativeOffset, entry.Position, entry.TimestampMaxBeforeMs);
        }

        return index;
    }

    /// <summary>Reads the entries of an index file; null when it is not that of a segment of so many bytes.</summary>
    public static IReadOnlyList<IndexEntry>? TryRead(IFileSystem files, string path, long segmentBytes)
    {
        using IFile file = files.Open(path, FileOpening.Read);
        int length = (int)Math.Min(file.Length, HeadBytes + (SegmentIndex.EntriesMax * EntryBytes) + sizeof(uint));
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            return Decode(bytes.AsSpan(0, file.Read(0, bytes.AsSpan(0, length))), segmentBytes);
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

    private static List<IndexEntry>? Decode(ReadOnlySpan<byte> bytes, long segmentBytes)
    {
        if (bytes.Length < HeadBytes + sizeof(uint)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) != segmentBytes
            || Crc32C.Compute(bytes[..^sizeof(uint)])
                != BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]))
        {
            return null;
        }

        var entries = new List<IndexEntry>();
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        for (int at = HeadBytes; count > 0 && at + EntryBytes <= bytes.Length; at += EntryBytes, count--)
        {
            ReadOnlySpan<byte> entry = bytes[at..];
            entries.Add(new IndexEntry(
                BinaryPrimitives.ReadInt32LittleEndian(entry),
                BinaryPrimitives.ReadInt32LittleEndian(entry[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(entry[8..])));
        }

        return entries;
    }
}
