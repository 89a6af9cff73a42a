using System.Buffers.Binary;

namespace Pillarbox.Protocols.Amqp.Wire;

public ref partial struct AmqpReader
{
    /// <summary>Reads any value without allocation; what is no scalar is stepped over and kept encoded.</summary>
    public AmqpScalar ReadScalar()
    {
        int start = _position;
        byte code = PeekFormatCode();
        AmqpType type = PeekType();
        Skip();
        ReadOnlySpan<byte> encoded = _bytes[start.._position];
        ReadOnlySpan<byte> body = encoded[1..];
        ReadOnlySpan<byte> content = (code >> 4) switch
        {
            0xa => body[1..],
            0xb => body[4..],
            0x9 => body,
            _ when type is AmqpType.Decimal32 or AmqpType.Decimal64 => body,
            _ => default,
        };
        return new AmqpScalar(type, FixedBits(code, body), content, encoded);
    }

    private static ulong FixedBits(byte code, ReadOnlySpan<byte> body) => code switch
    {
        FormatCode.True => 1,
        FormatCode.Byte or FormatCode.SmallInt or FormatCode.SmallLong => (ulong)(sbyte)body[0],
        FormatCode.Short => (ulong)BinaryPrimitives.ReadInt16BigEndian(body),
        FormatCode.Int => (ulong)BinaryPrimitives.ReadInt32BigEndian(body),
        _ => (code >> 4) switch
        {
            0x5 => body[0],
            0x6 => BinaryPrimitives.ReadUInt16BigEndian(body),
            0x7 => BinaryPrimitives.ReadUInt32BigEndian(body),
            0x8 => BinaryPrimitives.ReadUInt64BigEndian(body),
            _ => 0,
        },
    };
}
