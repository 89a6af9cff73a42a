using System.Buffers;
using System.Buffers.Binary;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>Whole frames out of a stream of bytes. Pure.</summary>
internal static class WireFrames
{
    /// <summary>The length in front of a command.</summary>
    public const int SizeBytes = 4;

    /// <summary>
    /// The bytes of the next command without its size; false: more is needed. A size that is not allowed is an error
    /// before its bytes are there.
    /// </summary>
    public static bool TryTake(
        in ReadOnlySequence<byte> input, int frameBytesMax, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        if (input.Length < SizeBytes)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[SizeBytes];
        input.Slice(0, SizeBytes).CopyTo(prefix);
        int size = BinaryPrimitives.ReadInt32BigEndian(prefix);
        if (size <= 0 || size > frameBytesMax)
        {
            throw new OpenWireException($"a frame of {size} bytes; at most {frameBytesMax} are allowed");
        }

        if (input.Length - SizeBytes < size)
        {
            return false;
        }

        frame = input.Slice(SizeBytes, size);
        return true;
    }

    /// <summary>A field says that it is longer than what is left.</summary>
    public static OpenWireException EndOfFrame(int length) =>
        new($"a field of {length} bytes reaches beyond its frame") { IsShort = true };
}
