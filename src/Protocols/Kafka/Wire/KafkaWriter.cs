using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>
/// Writes the protocol's primitive types into one growing buffer, which is kept for the next message. Records are not
/// written: they are noted as holes between the bytes, which the connection fills when it sends. Not thread-safe.
/// </summary>
internal sealed class KafkaWriter : IDisposable
{
    private const int FirstBytes = 512;
    private const int KeepBytesMax = 16 << 10;

    private readonly List<RecordHole> _holes = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _count;
    private long _holeBytes;

    /// <summary>Whether lengths are compact and structs end with tagged fields.</summary>
    public bool IsFlexible { get; set; }

    /// <summary>What was written, without the records.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _count);

    /// <summary>Where records belong, in order.</summary>
    public IReadOnlyList<RecordHole> Holes => _holes;

    /// <summary>Bytes written, records included.</summary>
    public long Length => _count + _holeBytes;

    /// <summary>Forgets everything but its buffer, if that is not a large one.</summary>
    public void Clear()
    {
        if (_buffer.Length > KeepBytesMax)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
        }

        _holes.Clear();
        (_count, _holeBytes, IsFlexible) = (0, 0, false);
    }

    public void WriteBoolean(bool value) => Next(1)[0] = value ? (byte)1 : (byte)0;

    public void WriteInt8(sbyte value) => Next(1)[0] = (byte)value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Next(2), value);

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Next(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Next(4), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Next(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Next(8), value);

    public void WriteFloat64(double value) => BinaryPrimitives.WriteDoubleBigEndian(Next(8), value);

    public void WriteUuid(Guid value) => value.TryWriteBytes(Next(16), bigEndian: true, out _);

    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            Next(1)[0] = (byte)(value | 0x80);
            value >>= 7;
        }

        Next(1)[0] = (byte)value;
    }

    public void WriteNullableString(string? value)
    {
        if (value is null)
        {
            WriteNullLength(sizeof(short));
            return;
        }

        int length = Encoding.UTF8.GetByteCount(value);
        if (IsFlexible)
        {
            WriteUnsignedVarint((uint)length + 1);
        }
        else
        {
            WriteInt16(checked((short)length));
        }

        Encoding.UTF8.GetBytes(value, Next(length));
    }

    public void WriteString(string? value) => WriteNullableString(value ?? "");

    public void WriteNullableBytes(byte[]? value)
    {
        if (value is null)
        {
            WriteNullLength(sizeof(int));
            return;
        }

        WriteLength(value.Length);
        value.CopyTo(Next(value.Length));
    }

    public void WriteBytes(byte[]? value) => WriteNullableBytes(value ?? []);

    /// <summary>Writes bytes without a length.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value) => value.CopyTo(Next(value.Length));

    /// <summary>Writes the length and leaves a hole.</summary>
    public void WriteRecords(RecordBytes value)
    {
        if (!value.IsPresent)
        {
            WriteNullLength(sizeof(int));
            return;
        }

        WriteLength(value.Length);
        if (value.Length > 0)
        {
            _holes.Add(new RecordHole(_count, value));
            _holeBytes += value.Length;
        }
    }

    /// <summary>The length of an array; -1 for null.</summary>
    public void WriteArrayLength(int count)
    {
        if (count < 0)
        {
            WriteNullLength(sizeof(int));
        }
        else
        {
            WriteLength(count);
        }
    }

    /// <summary>Begins a tagged field; give what it returns to <see cref="EndTag"/>.</summary>
    public int BeginTag(int tag)
    {
        WriteUnsignedVarint((uint)tag);
        return _count;
    }

    /// <summary>Puts the size before the data of the tagged field.</summary>
    public void EndTag(int start)
    {
        int size = _count - start;
        WriteUnsignedVarint((uint)size);
        int width = _count - start - size;
        Span<byte> length = stackalloc byte[5];
        _buffer.AsSpan(start + size, width).CopyTo(length);
        _buffer.AsSpan(start, size).CopyTo(_buffer.AsSpan(start + width));
        length[..width].CopyTo(_buffer.AsSpan(start));
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(Interlocked.Exchange(ref _buffer, []));

    private void WriteLength(int length)
    {
        if (IsFlexible)
        {
            WriteUnsignedVarint((uint)length + 1);
        }
        else
        {
            WriteInt32(length);
        }
    }

    private void WriteNullLength(int width)
    {
        if (IsFlexible)
        {
            WriteUnsignedVarint(0);
        }
        else
        {
            Next(width).Fill(0xff);
        }
    }

    private Span<byte> Next(int count)
    {
        if (_buffer.Length - _count < count)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _count + count));
            _buffer.AsSpan(0, _count).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        Span<byte> next = _buffer.AsSpan(_count, count);
        _count += count;
        return next;
    }
}

/// <summary>Records that belong before the written byte at <paramref name="Position"/>.</summary>
internal readonly record struct RecordHole(int Position, RecordBytes Records);
