using System.Buffers.Binary;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>
/// A block of LZ4: sequences of a token (literal length, match length - 4: four bits each, 15 = more bytes follow),
/// literal
/// bytes, and the distance of the match, u16. The last sequence has literals only.
/// </summary>
internal static class Lz4Block
{
    private const int HashBits = 13;
    private const int MatchBytesMin = 4;

    // The format asks for them: the last five bytes are literals, and no match begins in the last twelve.
    private const int LastLiterals = 5;
    private const int MatchLimit = 12;

    /// <summary>What incompressible bytes may become.</summary>
    public static int BytesMaxOf(int length) => length + (length / 255) + 16;

    /// <summary>Expands a block behind what a buffer holds, of which <paramref name="history"/> bytes may be copied
    /// from,
    /// into at most <paramref name="room"/> reserved bytes. Returns the bytes made; -1 when the block is broken or too
    /// large.</summary>
    public static int TryExpand(ReadOnlySpan<byte> source, PooledBuffer into, int history, int room)
    {
        int length = into.Length;
        into.Advance(room);
        Span<byte> target = into.Span.Slice(length - history, history + room);
        into.Advance(-room);
        int to = history;
        int at = 0;
        while (at < source.Length)
        {
            int token = source[at++];
            if (!TryLength(source, ref at, token >> 4, out int literals)
                || literals > source.Length - at || literals > target.Length - to)
            {
                return -1;
            }

            source.Slice(at, literals).CopyTo(target[to..]);
            at += literals;
            to += literals;
            if (at == source.Length)
            {
                return to - history;
            }

            if (!TryMatch(source, ref at, token & 15, target, ref to))
            {
                return -1;
            }
        }

        return -1;
    }

    /// <summary>Compresses at most 64 KiB into a span with room; returns the bytes made.</summary>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        Span<ushort> table = stackalloc ushort[1 << HashBits];
        table.Clear();
        int at = 0;
        int literal = 0;
        for (int i = 1; i < source.Length - MatchLimit;)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(source[i..]);
            ref ushort slot = ref table[(int)((word * 2654435761) >> (32 - HashBits))];
            int candidate = slot;
            slot = (ushort)i;
            if (BinaryPrimitives.ReadUInt32LittleEndian(source[candidate..]) != word || candidate >= i)
            {
                i += 1 + ((i - literal) >> 6);
                continue;
            }

            ReadOnlySpan<byte> ahead = source[(i + MatchBytesMin)..^LastLiterals];
            int match = ahead.CommonPrefixLength(source[(candidate + MatchBytesMin)..]);
            at += WriteSequence(target[at..], source[literal..i], match);
            BinaryPrimitives.WriteUInt16LittleEndian(target[at..], (ushort)(i - candidate));
            at += sizeof(ushort);
            at += WriteRest(target[at..], match);
            i += MatchBytesMin + match;
            literal = i;
        }

        return at + WriteSequence(target[at..], source[literal..], 0);
    }

    private static bool TryLength(ReadOnlySpan<byte> source, ref int at, int start, out int length)
    {
        length = start;
        if (start < 15)
        {
            return true;
        }

        while (at < source.Length)
        {
            int part = source[at++];
            length += part;
            if (part < 255)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryMatch(ReadOnlySpan<byte> source, ref int at, int code, Span<byte> target, ref int to)
    {
        if (source.Length - at < sizeof(ushort))
        {
            return false;
        }

        int distance = BinaryPrimitives.ReadUInt16LittleEndian(source[at..]);
        at += sizeof(ushort);
        if (!TryLength(source, ref at, code, out int length))
        {
            return false;
        }

        length += MatchBytesMin;
        if (distance == 0 || distance > to || length > target.Length - to)
        {
            return false;
        }

        BackCopy.Run(target, to, distance, length);
        to += length;
        return true;
    }

    private static int WriteSequence(Span<byte> target, ReadOnlySpan<byte> literals, int match)
    {
        target[0] = (byte)((Math.Min(15, literals.Length) << 4) | Math.Min(15, match));
        int at = 1 + WriteRest(target[1..], literals.Length);
        literals.CopyTo(target[at..]);
        return at + literals.Length;
    }

    /// <summary>What of a length does not fit into its four bits.</summary>
    private static int WriteRest(Span<byte> target, int length)
    {
        if (length < 15)
        {
            return 0;
        }

        int at = 0;
        int rest = length - 15;
        for (; rest >= 255; rest -= 255)
        {
            target[at++] = 255;
        }

        target[at++] = (byte)rest;
        return at;
    }
}

/// <summary>xxHash, 32 bits, of fewer than 16 bytes: enough for the header of a frame.</summary>
internal static class XxHash32
{
    private const uint Prime1 = 2654435761;
    private const uint Prime2 = 2246822519;
    private const uint Prime3 = 3266489917;
    private const uint Prime4 = 668265263;
    private const uint Prime5 = 374761393;

    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        Model.Invariant.That(bytes.Length < 16);
        uint hash = Prime5 + (uint)bytes.Length;
        for (; bytes.Length >= sizeof(uint); bytes = bytes[sizeof(uint)..])
        {
            hash += BinaryPrimitives.ReadUInt32LittleEndian(bytes) * Prime3;
            hash = uint.RotateLeft(hash, 17) * Prime4;
        }

        foreach (byte single in bytes)
        {
            hash += single * Prime5;
            hash = uint.RotateLeft(hash, 11) * Prime1;
        }

        hash = (hash ^ (hash >> 15)) * Prime2;
        hash = (hash ^ (hash >> 13)) * Prime3;
        return hash ^ (hash >> 16);
    }
}
