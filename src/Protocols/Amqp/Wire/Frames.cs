using System.Buffers;
using System.Buffers.Binary;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>The type byte of a frame (part 2 section 2.3.1 and part 5 section 5.3.1).</summary>
public enum FrameType : byte
{
    Amqp = 0,
    Sasl = 1,
}

// Part 2 section 2.3:
//
//              +0       +1       +2       +3
//        +-----------------------------------+ -.
//      0 |                SIZE               |  |
//        +-----------------------------------+  |---> Frame Header
//      4 |  DOFF  |  TYPE  | <TYPE-SPECIFIC> |  |      (8 bytes)
//        +-----------------------------------+ -'     AMQP: the last two are the channel; SASL: ignored
//        +-----------------------------------+ -.
//      8 |                ...                |  |---> Extended Header (DOFF * 4 - 8 bytes), ignored
//        +-----------------------------------+ -'
//        +-----------------------------------+ -.
// 4*DOFF |                                   |  |---> Frame Body (SIZE - DOFF * 4 bytes), empty: a heartbeat
//        +-----------------------------------+ -'

/// <summary>A frame's header.</summary>
/// <param name="Size">The whole frame in bytes, this header included.</param>
/// <param name="DataOffset">Where the body starts, in words of four bytes.</param>
/// <param name="Type">AMQP or SASL.</param>
/// <param name="Channel">The channel of an AMQP frame.</param>
public readonly record struct FrameHeader(uint Size, byte DataOffset, FrameType Type, ushort Channel)
{
    public const int Bytes = 8;
    public const byte DataOffsetMin = 2;

    /// <summary>Bytes of the body.</summary>
    public int BodyBytes => (int)Size - (DataOffset * 4);

    /// <summary>Decodes and checks eight bytes; what is wrong with them is a framing error.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes, uint maxFrameSize)
    {
        uint size = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        FrameHeader header = new(
            size, bytes[4], (FrameType)bytes[5], BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]));
        if (size > Math.Min(maxFrameSize, int.MaxValue))
        {
            throw AmqpException.Framing($"a frame of {size} bytes, the limit is {maxFrameSize}");
        }
        if (header.DataOffset < DataOffsetMin || (uint)header.DataOffset * 4 > size)
        {
            throw AmqpException.Framing($"a data offset of {header.DataOffset} in a frame of {size} bytes");
        }
        return header.Type is FrameType.Amqp or FrameType.Sasl
            ? header
            : throw AmqpException.Framing($"unknown frame type {bytes[5]}");
    }
}

/// <summary>Finds frames in a stream of bytes (part 2 section 2.3).</summary>
public static class Frames
{
    /// <summary>An empty frame on channel 0, which keeps a connection alive (part 2 section 2.4.5).</summary>
    public static ReadOnlySpan<byte> Heartbeat => [0, 0, 0, 8, 2, 0, 0, 0];

    /// <summary>
    /// Takes one whole frame off <paramref name="input"/>. False: more bytes are needed, and none was taken. A header
    /// is judged as soon as its eight bytes are there: a frame larger than <paramref name="maxFrameSize"/> is refused
    /// before its body comes.
    /// </summary>
    public static bool TryReadFrame(
        ref ReadOnlySequence<byte> input, uint maxFrameSize, out FrameHeader header, out ReadOnlySequence<byte> body)
    {
        header = default;
        body = default;
        if (input.Length < FrameHeader.Bytes)
        {
            return false;
        }
        header = ReadHeader(input, maxFrameSize);
        if (input.Length < header.Size)
        {
            return false;
        }
        body = input.Slice(header.DataOffset * 4, header.BodyBytes);
        input = input.Slice(header.Size);
        return true;
    }

    /// <summary>The same over contiguous bytes; a taken frame is <c>header.Size</c> bytes long.</summary>
    public static bool TryReadFrame(
        ReadOnlySpan<byte> input, uint maxFrameSize, out FrameHeader header, out ReadOnlySpan<byte> body)
    {
        header = default;
        body = default;
        if (input.Length < FrameHeader.Bytes)
        {
            return false;
        }
        header = FrameHeader.Read(input, maxFrameSize);
        if ((uint)input.Length < header.Size)
        {
            return false;
        }
        body = input.Slice(header.DataOffset * 4, header.BodyBytes);
        return true;
    }

    private static FrameHeader ReadHeader(in ReadOnlySequence<byte> input, uint maxFrameSize)
    {
        if (input.FirstSpan.Length >= FrameHeader.Bytes)
        {
            return FrameHeader.Read(input.FirstSpan, maxFrameSize);
        }
        Span<byte> bytes = stackalloc byte[FrameHeader.Bytes];
        input.Slice(0, FrameHeader.Bytes).CopyTo(bytes);
        return FrameHeader.Read(bytes, maxFrameSize);
    }
}
