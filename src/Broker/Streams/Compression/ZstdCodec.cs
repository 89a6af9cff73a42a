using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Broker.Streams.Compression;

/// <summary>Zstandard, by the system's libzstd. Where that is not installed, the compression is not supported.
/// </summary>
internal static class ZstdCodec
{
    private const int LevelDefault = 3;
    private const int StepBytes = 128 << 10;

    [ThreadStatic]
    private static ZstdReader? _reader;

    [ThreadStatic]
    private static ZstdWriter? _writer;

    public static CodecFault TryDecompress(ReadOnlySpan<byte> source, PooledBuffer into)
    {
        try
        {
            return Expand(_reader ??= ZstdNative.CreateReader(), source, into);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return CodecFault.Unsupported;
        }
    }

    public static unsafe CodecFault TryCompress(ReadOnlySpan<byte> source, int level, PooledBuffer into)
    {
        try
        {
            ZstdWriter writer = _writer ??= ZstdNative.CreateWriter();
            Span<byte> target = into.GetSpan((int)ZstdNative.CompressBound((nuint)source.Length));
            fixed (byte* from = source)
            fixed (byte* to = target)
            {
                nuint made = ZstdNative.Compress(
                    writer, to, (nuint)target.Length, from, (nuint)source.Length, level == 0 ? LevelDefault : level);
                if (ZstdNative.IsError(made) != 0)
                {
                    return CodecFault.Corrupt;
                }

                into.Advance((int)made);
                return CodecFault.None;
            }
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return CodecFault.Unsupported;
        }
    }

    private static unsafe CodecFault Expand(ZstdReader reader, ReadOnlySpan<byte> source, PooledBuffer into)
    {
        ZstdNative.Reset(reader, ZstdNative.ResetSession);
        fixed (byte* from = source)
        {
            var input = new ZstdBuffer { Start = from, Size = (nuint)source.Length };
            nuint left = 1;
            while (true)
            {
                if (!into.TryReserve(StepBytes) && !into.TryReserve(1))
                {
                    return left == 0 && input.Position == input.Size ? CodecFault.None : CodecFault.TooLarge;
                }

                nuint before = input.Position;
                left = Step(reader, ref input, into, out int made);
                if (ZstdNative.IsError(left) != 0)
                {
                    return CodecFault.Corrupt;
                }

                bool isAtEnd = input.Position == input.Size;
                if (isAtEnd && left == 0)
                {
                    return CodecFault.None;
                }

                if (made == 0 && input.Position == before)
                {
                    return CodecFault.Corrupt;
                }
            }
        }
    }

    private static unsafe nuint Step(ZstdReader reader, ref ZstdBuffer input, PooledBuffer into, out int made)
    {
        Span<byte> target = into.GetSpan(1);
        fixed (byte* to = target)
        {
            var output = new ZstdBuffer { Start = to, Size = (nuint)target.Length };
            nuint left = ZstdNative.Decompress(reader, ref output, ref input);
            made = (int)output.Position;
            into.Advance(made);
            return left;
        }
    }
}

/// <summary>Bytes as libzstd is told of them, to read or to write.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ZstdBuffer
{
    public byte* Start;
    public nuint Size;
    public nuint Position;
}

/// <summary>A context that decompresses.</summary>
internal sealed class ZstdReader() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => ZstdNative.FreeReader(handle) == 0;
}

/// <summary>A context that compresses.</summary>
internal sealed class ZstdWriter() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => ZstdNative.FreeWriter(handle) == 0;
}

/// <summary>The functions of libzstd.</summary>
internal static unsafe partial class ZstdNative
{
    public const int ResetSession = 1;
    private const string Library = "libzstd.so.1";

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    public static partial ZstdReader CreateReader();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    public static partial nuint FreeReader(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_DCtx_reset")]
    public static partial nuint Reset(ZstdReader context, int directive);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressStream")]
    public static partial nuint Decompress(ZstdReader context, ref ZstdBuffer output, ref ZstdBuffer input);

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    public static partial ZstdWriter CreateWriter();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    public static partial nuint FreeWriter(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressCCtx")]
    public static partial nuint Compress(
        ZstdWriter context, byte* target, nuint targetBytes, byte* source, nuint sourceBytes, int level);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressBound")]
    public static partial nuint CompressBound(nuint sourceBytes);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    public static partial uint IsError(nuint code);
}
