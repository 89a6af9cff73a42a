using System.Buffers;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>What is wrong with compressed bytes.</summary>
public enum CodecFault : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>They are not what the format says.</summary>
    Corrupt,

    /// <summary>They would become more bytes than allowed.</summary>
    TooLarge,

    /// <summary>This node cannot read or write the format (its library is not installed).</summary>
    Unsupported,
}

/// <summary>The compressions of records: pure functions over bytes. Any thread.</summary>
public static class RecordCodec
{
    /// <summary>Adds the uncompressed bytes to a buffer, whose own limit bounds them; one that would just fit may be
    /// found too large, for room is made in steps.</summary>
    public static CodecFault TryDecompress(RecordCompression kind, ReadOnlySpan<byte> source, PooledBuffer into)
    {
        if (source.IsEmpty)
        {
            return CodecFault.None;
        }

        switch (kind)
        {
            case RecordCompression.None:
                return TryCopy(source, into);
            case RecordCompression.Gzip:
                return GzipCodec.TryDecompress(source, into);
            case RecordCompression.Snappy:
                return SnappyFraming.TryDecompress(source, into);
            case RecordCompression.Lz4:
                return Lz4Frame.TryDecompress(source, into);
            case RecordCompression.Zstd:
                return ZstdCodec.TryDecompress(source, into);
            default:
                return CodecFault.Unsupported;
        }
    }

    /// <summary>Adds the compressed bytes to a buffer. The level's meaning is that of the format; 0 = its
    /// default.</summary>
    public static CodecFault TryCompress(
        RecordCompression kind, int level, ReadOnlySpan<byte> source, PooledBuffer into)
    {
        switch (kind)
        {
            case RecordCompression.None:
                return TryCopy(source, into);
            case RecordCompression.Gzip:
                GzipCodec.Compress(source, level, into);
                return CodecFault.None;
            case RecordCompression.Snappy:
                SnappyFraming.Compress(source, into);
                return CodecFault.None;
            case RecordCompression.Lz4:
                Lz4Frame.Compress(source, into);
                return CodecFault.None;
            case RecordCompression.Zstd:
                return ZstdCodec.TryCompress(source, level, into);
            default:
                return CodecFault.Unsupported;
        }
    }

    private static CodecFault TryCopy(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        if (!into.TryReserve(source.Length))
        {
            return CodecFault.TooLarge;
        }

        into.Write(source);
        return CodecFault.None;
    }
}
