using System.IO.Compression;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>gzip, by the framework.</summary>
internal static class GzipCodec
{
    private const int StepBytes = 64 << 10;

    public static unsafe CodecFault TryDecompress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        fixed (byte* start = source)
        {
            using var input = new UnmanagedMemoryStream(start, source.Length);
            using var gzip = new GZipStream(input, CompressionMode.Decompress);
            try
            {
                return ReadAll(gzip, into);
            }
            catch (InvalidDataException)
            {
                return CodecFault.Corrupt;
            }
        }
    }

    public static void Compress(ReadOnlySpan<byte> source, int level, PooledBuffer into)
    {
        using var output = new MemoryStream();
        var options = new ZLibCompressionOptions { CompressionLevel = level is >= 1 and <= 9 ? level : 6 };
        using (var gzip = new GZipStream(output, options, leaveOpen: true))
        {
            gzip.Write(source);
        }

        ReadOnlySpan<byte> bytes = output.GetBuffer().AsSpan(0, (int)output.Length);
        bytes.CopyTo(into.GetSpan(bytes.Length));
        into.Advance(bytes.Length);
    }

    private static CodecFault ReadAll(GZipStream gzip, PooledBuffer into)
    {
        while (true)
        {
            if (!into.TryReserve(StepBytes) && !into.TryReserve(1))
            {
                return gzip.ReadByte() < 0 ? CodecFault.None : CodecFault.TooLarge;
            }

            int count = gzip.Read(into.GetSpan(1));
            if (count == 0)
            {
                return CodecFault.None;
            }

            into.Advance(count);
        }
    }
}
