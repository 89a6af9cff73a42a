using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>
/// How a record lies in a log, little-endian:
/// <code>
/// 0   u32  length of the payload
/// 4   u32  CRC32C over payload, then position (u64), then length | type &lt;&lt; 32 | flags &lt;&lt; 40 (u64)
/// 8   u8   type: 1..239 of the writer, 240.. of the log itself
/// 9   u8   flags: bit 0 = the group continues with the next record
/// 10  u16  check of the header alone: folded CRC32C over the same two numbers, so that a length is not believed
/// blindly
/// 12       payload
/// </code>
/// The position is in the checksum: old bytes of a recycled file or a write that went astray are never taken for
/// records.
/// </summary>
public static class RecordFormat
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderBytes = 12;

    /// <summary>Highest type a writer may use.</summary>
    public const byte TypeMax = 239;

    /// <summary>Most bytes of payload in one record: 32 MiB.</summary>
    public const int PayloadBytesMax = 32 << 20;

    internal const byte MarkerType = 250;
    internal const byte SealType = 251;
    internal const byte GroupContinuesFlag = 1;
    internal const int MarkerPayloadBytes = sizeof(long);
    internal const int MarkerBytes = HeaderBytes + MarkerPayloadBytes;
    internal const int SealBytes = HeaderBytes;

    private const uint HeaderSeed = 0x50494C4C;

    /// <summary>Writes length and type, and the running checksum of the payload for <see cref="Finish"/>.</summary>
    internal static void WriteDraft(Span<byte> header, int length, byte type, uint payloadCrc)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], payloadCrc);
        header[8] = type;
        header[9] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], 0);
    }

    /// <summary>Turns a draft into the header of a record at <paramref name="position"/>; returns its whole
    /// size.</summary>
    internal static int Finish(Span<byte> header, long position, byte flags)
    {
        header[9] = flags;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong shape = Shape(length, header[8], flags);
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        crc = Crc32C.Append(Crc32C.Append(crc, (ulong)position), shape);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Crc32C.Finish(crc));
        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], HeaderCheck(position, shape));
        return HeaderBytes + (int)length;
    }

    /// <summary>Reads a header at a position. False when it is no header that was written for this position.</summary>
    internal static bool TryReadHeader(ReadOnlySpan<byte> header, long position, out RecordHeader result)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        byte type = header[8];
        byte flags = header[9];
        result = new RecordHeader((int)length, BinaryPrimitives.ReadUInt32LittleEndian(header[4..]), type, flags);
        if (length > PayloadBytesMax || type == 0 || flags > GroupContinuesFlag)
        {
            return false;
        }

        return BinaryPrimitives.ReadUInt16LittleEndian(header[10..])
            == HeaderCheck(position, Shape(length, type, flags));
    }

    /// <summary>True when the payload is what was written under this header at this position.</summary>
    internal static bool Verify(in RecordHeader header, ReadOnlySpan<byte> payload, long position)
    {
        uint crc = Crc32C.Append(Crc32C.Seed, payload);
        crc = Crc32C.Append(Crc32C.Append(crc, (ulong)position), Shape((uint)header.Length, header.Type, header.Flags));
        return Crc32C.Finish(crc) == header.Crc;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Shape(uint length, byte type, byte flags) =>
        length | ((ulong)type << 32) | ((ulong)flags << 40);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort HeaderCheck(long position, ulong shape)
    {
        uint check = Crc32C.Append(Crc32C.Append(HeaderSeed, (ulong)position), shape);
        return (ushort)(check ^ (check >> 16));
    }
}

/// <summary>A record's header, read.</summary>
internal readonly record struct RecordHeader(int Length, uint Crc, byte Type, byte Flags)
{
    public bool GroupContinues => (Flags & RecordFormat.GroupContinuesFlag) != 0;

    public int RecordBytes => RecordFormat.HeaderBytes + Length;
}
