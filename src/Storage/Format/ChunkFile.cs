using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>
/// A file of one stream of bytes in checksummed chunks, for snapshots and large bodies:
/// <code>
/// header (64 bytes)  chunk 0  chunk 1 ... chunk n  end
/// </code>
/// A chunk is a record (see <see cref="RecordFormat"/>) of <see cref="ChunkBytes"/> bytes, the last one shorter; the
/// end is
/// a record with the length of all. The position in the checksums is the file's own value mixed with the offset, so
/// that
/// chunks of another file, or in another order, are not taken for this one's.
/// </summary>
internal static class ChunkFile
{
    public const int ChunkBytes = 64 << 10;
    public const int SlotBytes = RecordFormat.HeaderBytes + ChunkBytes;
    public const int EndBytes = RecordFormat.HeaderBytes + sizeof(long);
    public const byte ChunkType = 1;
    public const byte EndType = 2;

    /// <summary>The position that the checksum of a record at a file offset holds.</summary>
    public static long Position(long value, long offset) => unchecked((value * 0x5851F42D4C957F2D) + offset);

    /// <summary>Chunks that so many bytes make.</summary>
    public static long ChunksOf(long length) => (length + ChunkBytes - 1) / ChunkBytes;
}

/// <summary>Writes such a file, front to back. One owner.</summary>
internal sealed class ChunkFileWriter : IDisposable
{
    private readonly IFile _file;
    private readonly long _value;
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(ChunkFile.SlotBytes);
    private int _filled = RecordFormat.HeaderBytes;
    private long _offset = FileHeader.Bytes;

    public ChunkFileWriter(IFile file, FileKind kind, long value)
    {
        _file = file;
        _value = value;
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        FileHeader.Write(header, kind, value);
        file.Write(0, header);
    }

    /// <summary>Bytes of content so far.</summary>
    public long Length { get; private set; }

    private byte[] Buffer => _buffer ?? throw new ObjectDisposedException(nameof(ChunkFileWriter));

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, ChunkFile.SlotBytes - _filled);
            bytes[..count].CopyTo(Buffer.AsSpan(_filled));
            bytes = bytes[count..];
            _filled += count;
            Length += count;
            if (_filled == ChunkFile.SlotBytes)
            {
                WriteRecord(ChunkFile.ChunkType);
            }
        }
    }

    /// <summary>Writes the end and syncs.</summary>
    public void Complete()
    {
        if (_filled > RecordFormat.HeaderBytes)
        {
            WriteRecord(ChunkFile.ChunkType);
        }

        BinaryPrimitives.WriteInt64LittleEndian(Buffer.AsSpan(RecordFormat.HeaderBytes), Length);
        _filled = ChunkFile.EndBytes;
        WriteRecord(ChunkFile.EndType);
        _file.Sync();
    }

    public void Dispose()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void WriteRecord(byte type)
    {
        Span<byte> record = Buffer.AsSpan(0, _filled);
        ReadOnlySpan<byte> payload = record[RecordFormat.HeaderBytes..];
        RecordFormat.WriteDraft(record, payload.Length, type, Crc32C.Append(Crc32C.Seed, payload));
        RecordFormat.Finish(record, ChunkFile.Position(_value, _offset), 0);
        _file.Write(_offset, record);
        _offset += record.Length;
        _filled = RecordFormat.HeaderBytes;
    }
}

/// <summary>Reads such a file. The caller owns file and buffers.</summary>
internal sealed class ChunkFileReader
{
    private readonly IFile _file;
    private readonly string _path;

    private ChunkFileReader(IFile file, string path, long value, long length)
    {
        _file = file;
        _path = path;
        Value = value;
        Length = length;
    }

    /// <summary>The value in the file's header.</summary>
    public long Value { get; }

    /// <summary>Bytes of content.</summary>
    public long Length { get; }

    /// <summary>Reads header and end; null with a reason when they are not what was written.</summary>
    public static ChunkFileReader? Open(IFile file, FileKind kind, string path, out string? problem)
    {
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        problem = FileHeader.Check(header[..file.Read(0, header)], kind, path, out long value);
        if (problem is not null)
        {
            return null;
        }

        Span<byte> end = stackalloc byte[ChunkFile.EndBytes];
        long offset = file.Length - ChunkFile.EndBytes;
        problem = "the file has no end";
        if (offset < FileHeader.Bytes || file.Read(offset, end) != end.Length || !IsEnd(end, value, offset))
        {
            return null;
        }

        long length = BinaryPrimitives.ReadInt64LittleEndian(end[RecordFormat.HeaderBytes..]);
        long expected = FileHeader.Bytes + length + (ChunkFile.ChunksOf(length) * RecordFormat.HeaderBytes);
        if (length < 0 || expected != offset)
        {
            return null;
        }

        problem = null;
        return new ChunkFileReader(file, path, value, length);
    }

    /// <summary>Bytes of content in a chunk.</summary>
    public int BytesOf(long chunk) => (int)Math.Min(ChunkFile.ChunkBytes, Length - (chunk * ChunkFile.ChunkBytes));

    /// <summary>Reads and verifies a chunk; its content is in <paramref name="slot"/> behind the record's header.
    /// Throws
    /// <see cref="StorageException"/>.</summary>
    public int ReadChunk(long chunk, Span<byte> slot)
    {
        int count = RecordFormat.HeaderBytes + BytesOf(chunk);
        return Verify(chunk, slot[..count], _file.Read(OffsetOf(chunk), slot[..count]));
    }

    /// <summary>As <see cref="ReadChunk"/>.</summary>
    public async ValueTask<int> ReadChunkAsync(long chunk, Memory<byte> slot, CancellationToken cancellation)
    {
        int count = RecordFormat.HeaderBytes + BytesOf(chunk);
        int read = await _file.ReadAsync(OffsetOf(chunk), slot[..count], cancellation).ConfigureAwait(false);
        return Verify(chunk, slot.Span[..count], read);
    }

    private static long OffsetOf(long chunk) => FileHeader.Bytes + (chunk * ChunkFile.SlotBytes);

    private static bool IsEnd(ReadOnlySpan<byte> record, long value, long offset)
    {
        long position = ChunkFile.Position(value, offset);
        return RecordFormat.TryReadHeader(record, position, out RecordHeader header)
            && header.Type == ChunkFile.EndType
            && header.RecordBytes == record.Length
            && RecordFormat.Verify(header, record[RecordFormat.HeaderBytes..], position);
    }

    private int Verify(long chunk, ReadOnlySpan<byte> record, int read)
    {
        long position = ChunkFile.Position(Value, OffsetOf(chunk));
        if (read != record.Length
            || !RecordFormat.TryReadHeader(record, position, out RecordHeader header)
            || header.Type != ChunkFile.ChunkType
            || header.RecordBytes != record.Length
            || !RecordFormat.Verify(header, record[RecordFormat.HeaderBytes..], position))
        {
            throw new StorageException($"{_path} is damaged: the checksum of chunk {chunk} is wrong");
        }

        return record.Length - RecordFormat.HeaderBytes;
    }
}
