using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Writes AMQP 1.0 encoded values (part 1), each in its smallest encoding. What is written lies in one span until
/// <see cref="Commit"/> hands it to the output, so sizes are patched in afterwards. A writer that is not committed
/// leaves no trace. Not for two threads; nothing else may write to the output between the first write and the commit.
/// </summary>
public ref partial struct AmqpWriter
{
    private readonly IBufferWriter<byte>? _output;
    private Span<byte> _buffer;
    private int _position;

    /// <param name="output">Gets the bytes at <see cref="Commit"/>.</param>
    /// <param name="bytesHint">How many bytes are expected; more are got when needed, at the price of a copy.</param>
    public AmqpWriter(IBufferWriter<byte> output, int bytesHint = 256)
    {
        _output = output;
        _buffer = output.GetSpan(bytesHint);
        _position = 0;
    }

    /// <summary>
    /// Writes into a buffer of fixed length; running over it is an <see cref="InvalidOperationException"/>.
    /// </summary>
    public AmqpWriter(Span<byte> buffer)
    {
        _output = null;
        _buffer = buffer;
        _position = 0;
    }

    /// <summary>Bytes written since the last commit.</summary>
    public readonly int Position => _position;

    public readonly ReadOnlySpan<byte> Written => _buffer[.._position];

    /// <summary>Hands the written bytes to the output. Writing may go on after it.</summary>
    public void Commit()
    {
        _output?.Advance(_position);
        _buffer = _output is null ? _buffer[_position..] : default;
        _position = 0;
    }

    public void WriteNull() => Put(FormatCode.Null);

    public void WriteBoolean(bool value) => Put(value ? FormatCode.True : FormatCode.False);

    public void WriteUByte(byte value) => Put(FormatCode.UByte, value);

    public void WriteUShort(ushort value)
    {
        Span<byte> span = Take(3);
        span[0] = FormatCode.UShort;
        BinaryPrimitives.WriteUInt16BigEndian(span[1..], value);
    }

    public void WriteUInt(uint value)
    {
        if (value == 0)
        {
            Put(FormatCode.UInt0);
        }
        else if (value <= byte.MaxValue)
        {
            Put(FormatCode.SmallUInt, (byte)value);
        }
        else
        {
            Put32(FormatCode.UInt, value);
        }
    }

    public void WriteULong(ulong value)
    {
        if (value == 0)
        {
            Put(FormatCode.ULong0);
        }
        else if (value <= byte.MaxValue)
        {
            Put(FormatCode.SmallULong, (byte)value);
        }
        else
        {
            Put64(FormatCode.ULong, value);
        }
    }

    public void WriteByte(sbyte value) => Put(FormatCode.Byte, (byte)value);

    public void WriteShort(short value)
    {
        Span<byte> span = Take(3);
        span[0] = FormatCode.Short;
        BinaryPrimitives.WriteInt16BigEndian(span[1..], value);
    }

    public void WriteInt(int value)
    {
        if (value == (sbyte)value)
        {
            Put(FormatCode.SmallInt, (byte)value);
        }
        else
        {
            Put32(FormatCode.Int, (uint)value);
        }
    }

    public void WriteLong(long value)
    {
        if (value == (sbyte)value)
        {
            Put(FormatCode.SmallLong, (byte)value);
        }
        else
        {
            Put64(FormatCode.Long, (ulong)value);
        }
    }

    public void WriteFloat(float value) => Put32(FormatCode.Float, BitConverter.SingleToUInt32Bits(value));

    public void WriteDouble(double value) => Put64(FormatCode.Double, BitConverter.DoubleToUInt64Bits(value));

    public void WriteChar(Rune value) => Put32(FormatCode.Char, (uint)value.Value);

    /// <param name="unixMs">Milliseconds since the Unix epoch.</param>
    public void WriteTimestamp(long unixMs) => Put64(FormatCode.Timestamp, (ulong)unixMs);

    public void WriteUuid(Guid value)
    {
        Span<byte> span = Take(17);
        span[0] = FormatCode.Uuid;
        value.TryWriteBytes(span[1..], bigEndian: true, out _);
    }

    /// <summary>A decimal of 4, 8 or 16 raw bytes.</summary>
    public void WriteDecimalBytes(scoped ReadOnlySpan<byte> value)
    {
        Put(value.Length switch
        {
            4 => FormatCode.Decimal32,
            8 => FormatCode.Decimal64,
            16 => FormatCode.Decimal128,
            _ => throw new ArgumentException("a decimal has 4, 8 or 16 bytes", nameof(value)),
        });
        WriteRaw(value);
    }

    public void WriteBinary(scoped ReadOnlySpan<byte> value) =>
        PutVariable(FormatCode.Binary8, FormatCode.Binary32, value);

    public void WriteStringUtf8(scoped ReadOnlySpan<byte> utf8) =>
        PutVariable(FormatCode.String8, FormatCode.String32, utf8);

    public void WriteString(scoped ReadOnlySpan<char> value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        PutVariableHeader(FormatCode.String8, FormatCode.String32, length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    public void WriteSymbolAscii(scoped ReadOnlySpan<byte> ascii) =>
        PutVariable(FormatCode.Symbol8, FormatCode.Symbol32, ascii);

    /// <summary>Writes a symbol. A character beyond ASCII is our own fault: <see cref="ArgumentException"/>.</summary>
    public void WriteSymbol(scoped ReadOnlySpan<char> value)
    {
        PutVariableHeader(FormatCode.Symbol8, FormatCode.Symbol32, value.Length);
        PutAscii(value);
    }

    /// <summary>Copies bytes that are encoded already, or that are payload.</summary>
    public void WriteRaw(scoped ReadOnlySpan<byte> encoded) => encoded.CopyTo(Take(encoded.Length));

    private void PutAscii(scoped ReadOnlySpan<char> value)
    {
        if (Ascii.FromUtf16(value, Take(value.Length), out _) != OperationStatus.Done)
        {
            throw new ArgumentException("a symbol must be ASCII", nameof(value));
        }
    }

    private void PutVariable(byte code8, byte code32, scoped ReadOnlySpan<byte> value)
    {
        PutVariableHeader(code8, code32, value.Length);
        value.CopyTo(Take(value.Length));
    }

    private void PutVariableHeader(byte code8, byte code32, int length)
    {
        if (length <= byte.MaxValue)
        {
            Put(code8, (byte)length);
        }
        else
        {
            Put32(code32, (uint)length);
        }
    }

    private void Put(byte value) => Take(1)[0] = value;

    private void Put(byte code, byte value)
    {
        Span<byte> span = Take(2);
        span[1] = value;
        span[0] = code;
    }

    private void Put32(byte code, uint value)
    {
        Span<byte> span = Take(5);
        span[0] = code;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], value);
    }

    private void Put64(byte code, ulong value)
    {
        Span<byte> span = Take(9);
        span[0] = code;
        BinaryPrimitives.WriteUInt64BigEndian(span[1..], value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Take(int length)
    {
        if (_buffer.Length - _position < length)
        {
            Grow(length);
        }
        Span<byte> taken = _buffer.Slice(_position, length);
        _position += length;
        return taken;
    }

    // The old span may go back to the output's pool when a larger one is got: what it holds is saved before.
    private void Grow(int length)
    {
        if (_output is null)
        {
            throw new InvalidOperationException("the buffer is too short");
        }
        byte[] saved = ArrayPool<byte>.Shared.Rent(_position);
        Written.CopyTo(saved);
        int doubled = (int)Math.Min(2L * _position, 1 << 30);
        _buffer = _output.GetSpan(Math.Max(checked(_position + length), doubled));
        saved.AsSpan(0, _position).CopyTo(_buffer);
        ArrayPool<byte>.Shared.Return(saved);
    }
}
