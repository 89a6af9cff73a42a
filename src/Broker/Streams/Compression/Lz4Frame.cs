using System.Buffers.Binary;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>
/// The LZ4 frame format: magic u32, FLG, BD, [content size u64], [dictionary id u32], header checksum; then blocks of
/// size
/// u32 (highest bit: not compressed), bytes and [checksum u32]; a block of size 0 ends it, [content checksum u32].
/// Little-endian.
/// </summary>
internal static class Lz4Frame
{
    private const uint Magic = 0x184D2204;
    private const uint StoredFlag = 0x80000000;
    private const int IndependentBlocks = 0x60;
    private const int Blocks64KiB = 0x40;
    private const int BlockBytes = 64 << 10;

    public static CodecFault TryDecompress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        if (source.Length < 7 || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic || (source[4] >> 6) != 1)
        {
            return CodecFault.Corrupt;
        }

        int flags = source[4];
        int blockBytesMax = BlockBytesOf(source[5]);
        bool hasBlockChecksum = (flags & 0x10) != 0;
        int at = 7 + ((flags & 0x08) != 0 ? 8 : 0) + ((flags & 0x01) != 0 ? 4 : 0);
        int start = into.Length;
        while (source.Length - at >= sizeof(uint))
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(source[at..]);
            at += sizeof(uint);
            if (size == 0)
            {
                return CodecFault.None;
            }

            int length = (int)(size & ~StoredFlag);
            if (length > source.Length - at || length > blockBytesMax)
            {
                return CodecFault.Corrupt;
            }

            CodecFault fault = TryBlock(source.Slice(at, length), (size & StoredFlag) != 0, blockBytesMax, start, into);
            if (fault != CodecFault.None)
            {
                return fault;
            }

            at += length + (hasBlockChecksum ? sizeof(uint) : 0);
        }

        return CodecFault.Corrupt;
    }

    public static void Compress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        Span<byte> header = into.GetSpan(7);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        header[4] = IndependentBlocks;
        header[5] = Blocks64KiB;
        header[6] = (byte)(XxHash32.Compute(header[4..6]) >> 8);
        into.Advance(7);
        while (!source.IsEmpty)
        {
            ReadOnlySpan<byte> block = source[..Math.Min(BlockBytes, source.Length)];
            WriteBlock(block, into);
            source = source[block.Length..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(into.GetSpan(sizeof(uint)), 0);
        into.Advance(sizeof(uint));
    }

    private static int BlockBytesOf(int descriptor) => (descriptor >> 4 & 7) switch
    {
        4 => 64 << 10,
        5 => 256 << 10,
        6 => 1 << 20,
        _ => 4 << 20,
    };

    private static CodecFault TryBlock(
        ReadOnlySpan<byte> block, bool isStored, int blockBytesMax, int start, PooledBuffer into)
    {
        if (isStored)
        {
            if (!into.TryReserve(block.Length))
            {
                return CodecFault.TooLarge;
            }

            block.CopyTo(into.GetSpan(block.Length));
            into.Advance(block.Length);
            return CodecFault.None;
        }

        // A byte of a compressed block makes at most 255: what is reserved is bounded by what is there.
        long room = Math.Min(blockBytesMax, block.Length * 255L);
        bool isReserved = into.TryReserve((int)room);
        Span<byte> target = isReserved ? into.GetSpan((int)room) : into.TryReserve(1) ? into.GetSpan(1) : default;
        int history = into.Length - start;
        int end = Lz4Block.TryExpand(block, into, history, target.Length);
        if (end < 0)
        {
            return isReserved ? CodecFault.Corrupt : CodecFault.TooLarge;
        }

        into.Advance(end);
        return CodecFault.None;
    }

    private static void WriteBlock(ReadOnlySpan<byte> block, PooledBuffer into)
    {
        into.TryReserve(sizeof(uint) + Lz4Block.BytesMaxOf(block.Length));
        int lengthAt = into.Length;
        into.Advance(sizeof(uint));
        int length = Lz4Block.Compress(block, into.GetSpan(Lz4Block.BytesMaxOf(block.Length)));
        uint flag = 0;
        if (length >= block.Length)
        {
            block.CopyTo(into.GetSpan(block.Length));
            length = block.Length;
            flag = StoredFlag;
        }

        into.Advance(length);
        BinaryPrimitives.WriteUInt32LittleEndian(into.Span[lengthAt..], (uint)length | flag);
    }
}
