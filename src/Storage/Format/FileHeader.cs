using System.Buffers.Binary;
using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>What a file holds.</summary>
internal enum FileKind : byte
{
    Segment = 1,
    Snapshot = 2,
    Blob = 3,
    BlobIds = 4,
    Identity = 5,
    Quarantine = 6,
    Marks = 7,
}

/// <summary>
/// The first 64 bytes of every file, little-endian. The places of magic, version and checksum never change:
/// <code>
/// 0   8 bytes "PILLARBX"
/// 8   u16  format version
/// 10  u8   kind
/// 11  5 bytes 0
/// 16  i64  position, or id
/// 24  36 bytes 0
/// 60  u32  CRC32C of the 60 bytes before
/// </code>
/// </summary>
internal static class FileHeader
{
    public const int Bytes = 64;
    public const ushort Version = 1;
    private const int CrcOffset = 60;

    private static ReadOnlySpan<byte> Magic => "PILLARBX"u8;

    /// <summary>Fills the first <see cref="Bytes"/> bytes of <paramref name="header"/>.</summary>
    public static void Write(Span<byte> header, FileKind kind, long value, ushort version = Version)
    {
        header = header[..Bytes];
        header.Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], version);
        header[10] = (byte)kind;
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], value);
        BinaryPrimitives.WriteUInt32LittleEndian(header[CrcOffset..], Crc32C.Compute(header[..CrcOffset]));
    }

    /// <summary>Why these bytes are not the header of a file of this kind; null when they are. Throws
    /// <see cref="StorageException"/> when a newer program wrote the file.</summary>
    public static string? Check(ReadOnlySpan<byte> header, FileKind kind, string path, out long value)
    {
        value = 0;
        if (header.Length < Bytes)
        {
            return "the file is shorter than its header";
        }

        header = header[..Bytes];
        if (!header.StartsWith(Magic))
        {
            return "the file does not begin with the mark of this program";
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(header[CrcOffset..]) != Crc32C.Compute(header[..CrcOffset]))
        {
            return "the checksum of the file's header is wrong";
        }

        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (version > Version)
        {
            throw new StorageException(
                $"{path} has format {version} and this program knows formats up to {Version}: start the newer program");
        }

        if (header[10] != (byte)kind)
        {
            return "the file is of another kind";
        }

        value = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        return null;
    }
}
