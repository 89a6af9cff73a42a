using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Broker.Journal;

/// <summary>Writes what <see cref="FieldReader"/> reads.</summary>
internal static class FieldWriter
{
    public const int VarintBytesMax = 10;

    public static void Byte(IBufferWriter<byte> to, byte value)
    {
        to.GetSpan(1)[0] = value;
        to.Advance(1);
    }

    public static void Int64(IBufferWriter<byte> to, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to.GetSpan(sizeof(long)), value);
        to.Advance(sizeof(long));
    }

    public static void Varint(IBufferWriter<byte> to, ulong value) =>
        to.Advance(Varint(to.GetSpan(VarintBytesMax), value));

    public static void SignedVarint(IBufferWriter<byte> to, long value) => Varint(to, Zigzag(value));

    public static void Bytes(IBufferWriter<byte> to, ReadOnlySpan<byte> value)
    {
        Varint(to, (ulong)value.Length);
        to.Write(value);
    }

    public static void Text(IBufferWriter<byte> to, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Varint(to, (ulong)length);
        to.Advance(Encoding.UTF8.GetBytes(value, to.GetSpan(length + 1)));
    }

    public static void OptionalText(IBufferWriter<byte> to, string? value)
    {
        Byte(to, value is null ? (byte)0 : (byte)1);
        if (value is not null)
        {
            Text(to, value);
        }
    }

    /// <summary>Writes into a span that has room; returns the bytes used.</summary>
    public static int Varint(Span<byte> to, ulong value)
    {
        int at = 0;
        while (value >= 0x80)
        {
            to[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        to[at++] = (byte)value;
        return at;
    }

    public static ulong Zigzag(long value) => ((ulong)value << 1) ^ (ulong)(value >> 63);
}
