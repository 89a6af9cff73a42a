using System.Buffers.Binary;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>
/// A Snappy block: the uncompressed length as a varint, then elements. An element's two lowest bits say what it is: 0
/// literal
/// bytes; 1 a copy of 4 to 11 bytes from up to 2 KiB back; 2 a copy of 1 to 64 bytes from up to 64 KiB back; 3 the same
/// with
/// four bytes of distance.
/// </summary>
internal static class SnappyBlock
{
    private const int HashBits = 13;
    private const int MatchBytesMin = 4;
    private const int CopyBytesMax = 64;

    /// <summary>What incompressible bytes may become.</summary>
    public static int BytesMaxOf(int length) => 32 + length + (length / 6);

    public static CodecFault TryDecompress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        int at = 0;
        if (!TryReadLength(source, ref at, out int length))
        {
            return CodecFault.Corrupt;
        }

        // An element of three bytes makes at most 64: a length beyond that is a lie, and reserves nothing.
        if (length / CopyBytesMax > source.Length)
        {
            return CodecFault.Corrupt;
        }

        if (!into.TryReserve(length))
        {
            return CodecFault.TooLarge;
        }

        Span<byte> target = into.GetSpan(Math.Max(1, length))[..length];
        if (!TryExpand(source[at..], target))
        {
            return CodecFault.Corrupt;
        }

        into.Advance(length);
        return CodecFault.None;
    }

    /// <summary>Adds the block of at most 64 KiB to a buffer that has room.</summary>
    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        Span<byte> target = into.GetSpan(BytesMaxOf(source.Length));
        int at = WriteLength(target, source.Length);
        Span<ushort> table = stackalloc ushort[1 << HashBits];
        table.Clear();
        int literal = 0;
        for (int i = 1; i + MatchBytesMin + 4 < source.Length;)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(source[i..]);
            ref ushort slot = ref table[(int)((word * 0x1E35A7BD) >> (32 - HashBits))];
            int candidate = slot;
            slot = (ushort)i;
            if (BinaryPrimitives.ReadUInt32LittleEndian(source[candidate..]) != word || candidate >= i)
            {
                i += 1 + ((i - literal) >> 5);
                continue;
            }

            at += WriteLiteral(target[at..], source[literal..i]);
            int length = MatchBytesMin
                + source[(i + MatchBytesMin)..].CommonPrefixLength(source[(candidate + MatchBytesMin)..]);
            at += WriteCopy(target[at..], i - candidate, length);
            i += length;
            literal = i;
        }

        at += WriteLiteral(target[at..], source[literal..]);
        into.Advance(at);
    }

    private static bool TryExpand(ReadOnlySpan<byte> source, Span<byte> target)
    {
        int at = 0;
        int to = 0;
        while (at < source.Length)
        {
            int tag = source[at++];
            bool isGood = (tag & 3) == 0
                ? TryLiteral(source, ref at, tag >> 2, target, ref to)
                : TryCopy(source, ref at, tag, target, ref to);
            if (!isGood)
            {
                return false;
            }
        }

        return to == target.Length;
    }

    private static bool TryLiteral(ReadOnlySpan<byte> source, ref int at, int code, Span<byte> target, ref int to)
    {
        long length = code + 1;
        if (code >= 60)
        {
            int bytes = code - 59;
            if (bytes > source.Length - at)
            {
                return false;
            }

            length = ReadSmall(source.Slice(at, bytes)) + 1L;
            at += bytes;
        }

        if (length > source.Length - at || length > target.Length - to)
        {
            return false;
        }

        source.Slice(at, (int)length).CopyTo(target[to..]);
        at += (int)length;
        to += (int)length;
        return true;
    }

    private static bool TryCopy(ReadOnlySpan<byte> source, ref int at, int tag, Span<byte> target, ref int to)
    {
        int kind = tag & 3;
        int bytes = kind == 3 ? 4 : kind;
        if (bytes > source.Length - at)
        {
            return false;
        }

        uint number = ReadSmall(source.Slice(at, bytes));
        at += bytes;
        uint distance = kind == 1 ? number | ((uint)(tag >> 5) << 8) : number;
        int length = kind == 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
        if (distance == 0 || distance > (uint)to || length > target.Length - to)
        {
            return false;
        }

        BackCopy.Run(target, to, (int)distance, length);
        to += length;
        return true;
    }

    private static int WriteLiteral(Span<byte> target, ReadOnlySpan<byte> literal)
    {
        if (literal.IsEmpty)
        {
            return 0;
        }

        int at = 1;
        int code = literal.Length - 1;
        if (code < 60)
        {
            target[0] = (byte)(code << 2);
        }
        else
        {
            bool isShort = code < 256;
            target[0] = (byte)((isShort ? 60 : 61) << 2);
            target[at++] = (byte)code;
            if (!isShort)
            {
                target[at++] = (byte)(code >> 8);
            }
        }

        literal.CopyTo(target[at..]);
        return at + literal.Length;
    }

    private static int WriteCopy(Span<byte> target, int distance, int length)
    {
        int at = 0;
        while (length > 0)
        {
            int part = Math.Min(length, CopyBytesMax);
            target[at] = (byte)(2 | ((part - 1) << 2));
            BinaryPrimitives.WriteUInt16LittleEndian(target[(at + 1)..], (ushort)distance);
            at += 3;
            length -= part;
        }

        return at;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> source, ref int at, out int length)
    {
        uint value = 0;
        length = 0;
        for (int shift = 0; shift < 35 && at < source.Length; shift += 7)
        {
            uint part = source[at++];
            value |= (part & 0x7F) << shift;
            if (part < 0x80)
            {
                length = (int)value;
                return length >= 0;
            }
        }

        return false;
    }

    private static int WriteLength(Span<byte> target, int length)
    {
        int at = 0;
        for (uint value = (uint)length; ; value >>= 7)
        {
            bool isLast = value < 0x80;
            target[at++] = (byte)(isLast ? value : value | 0x80);
            if (isLast)
            {
                return at;
            }
        }
    }

    private static uint ReadSmall(ReadOnlySpan<byte> bytes)
    {
        uint value = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            value |= (uint)bytes[i] << (8 * i);
        }

        return value;
    }
}

/// <summary>Copies bytes from behind the end of what is there; the two may overlap, and then repeat.</summary>
internal static class BackCopy
{
    public static void Run(Span<byte> target, int to, int distance, int length)
    {
        if (distance >= length)
        {
            target.Slice(to - distance, length).CopyTo(target[to..]);
            return;
        }

        if (distance == 1)
        {
            target.Slice(to, length).Fill(target[to - 1]);
            return;
        }

        for (int i = 0; i < length; i++)
        {
            target[to + i] = target[to + i - distance];
        }
    }
}
