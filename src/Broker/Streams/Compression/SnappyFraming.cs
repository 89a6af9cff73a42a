using System.Buffers.Binary;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>
/// Snappy blocks in the framing of xerial's SnappyOutputStream: magic (8 bytes), version i32, lowest compatible version
/// i32, then blocks of length i32 and Snappy bytes; all big-endian. Bytes without the magic are one Snappy block.
/// </summary>
internal static class SnappyFraming
{
    private const int HeaderBytes = 16;
    private const int BlockBytes = 32 << 10;

    // 0x82 SNAPPY 0
    private static ReadOnlySpan<byte> Magic => [0x82, 0x53, 0x4E, 0x41, 0x50, 0x50, 0x59, 0x00];

    public static CodecFault TryDecompress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        if (source.Length < HeaderBytes || !source.StartsWith(Magic))
        {
            return SnappyBlock.TryDecompress(source, into);
        }

        ReadOnlySpan<byte> rest = source[HeaderBytes..];
        while (!rest.IsEmpty)
        {
            // Streams that were put one behind the other each begin with the magic.
            if (rest.Length >= HeaderBytes && rest.StartsWith(Magic))
            {
                rest = rest[HeaderBytes..];
                continue;
            }

            if (rest.Length < sizeof(int))
            {
                return CodecFault.Corrupt;
            }

            int length = BinaryPrimitives.ReadInt32BigEndian(rest);
            rest = rest[sizeof(int)..];
            if ((uint)length > (uint)rest.Length)
            {
                return CodecFault.Corrupt;
            }

            CodecFault fault = SnappyBlock.TryDecompress(rest[..length], into);
            if (fault != CodecFault.None)
            {
                return fault;
            }

            rest = rest[length..];
        }

        return CodecFault.None;
    }

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        Span<byte> header = into.GetSpan(HeaderBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32BigEndian(header[8..], 1);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], 1);
        into.Advance(HeaderBytes);
        while (!source.IsEmpty)
        {
            ReadOnlySpan<byte> block = source[..Math.Min(BlockBytes, source.Length)];
            into.TryReserve(sizeof(int) + SnappyBlock.BytesMaxOf(block.Length));
            int lengthAt = into.Length;
            into.Advance(sizeof(int));
            SnappyBlock.Compress(block, into);
            BinaryPrimitives.WriteInt32BigEndian(into.Span[lengthAt..], into.Length - lengthAt - sizeof(int));
            source = source[block.Length..];
        }
    }
}
