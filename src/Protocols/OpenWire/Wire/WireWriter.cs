using System.Buffers;
using System.Buffers.Binary;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// Writes whole commands. Tight encoding is written in one go: bits and data grow side by side and meet at the end.
/// One per connection, for the cache is the connection's. Never flushes.
/// </summary>
internal sealed class WireWriter : WireFields
{
    private readonly GrowingBytes _data = new();
    private readonly BitBuffer _bits = new();
    private WireFormat _format = WireFormat.Initial;
    private OwnCache? _cache;

    /// <summary>Bytes written since the connection began.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>From now on the node writes so.</summary>
    public void Use(WireFormat format)
    {
        _format = format;
        Version = format.Version;
        _cache = format.IsCached && format.CacheSlots > 0 ? new OwnCache(format.CacheSlots) : null;
    }

    /// <summary>Writes a command with its size in front, when that was agreed.</summary>
    public void Write(IDataStructure command, IBufferWriter<byte> output)
    {
        _data.Clear();
        _bits.Clear();
        command.Visit(this);
        int bitBytes = _format.IsTight ? _bits.HeaderBytes + _bits.Bytes.Length : 0;
        int size = 1 + bitBytes + _data.Length;
        int prefix = _format.HasSizePrefix ? WireFrames.SizeBytes : 0;
        Span<byte> to = output.GetSpan(prefix + 1 + bitBytes);
        if (prefix > 0)
        {
            BinaryPrimitives.WriteInt32BigEndian(to, size);
        }

        to[prefix] = (byte)command.Type;
        if (_format.IsTight)
        {
            _bits.CopyTo(to[(prefix + 1)..]);
        }

        output.Advance(prefix + 1 + bitBytes);
        output.Write(_data.Written);
        BytesWritten += prefix + size;
    }

    public override void Boolean(ref bool value)
    {
        if (_format.IsTight)
        {
            _bits.Add(value);
        }
        else
        {
            _data.Add((byte)(value ? 1 : 0));
        }
    }

    public override void Byte(ref byte value) => _data.Add(value);

    public override void Int(ref int value) => BinaryPrimitives.WriteInt32BigEndian(_data.Take(4), value);

    public override void Long(ref long value)
    {
        if (!_format.IsTight || (ulong)value > uint.MaxValue)
        {
            AddWidth(high: true, low: true);
            BinaryPrimitives.WriteInt64BigEndian(_data.Take(8), value);
        }
        else if (value > ushort.MaxValue)
        {
            AddWidth(high: true, low: false);
            BinaryPrimitives.WriteUInt32BigEndian(_data.Take(4), (uint)value);
        }
        else
        {
            AddWidth(high: false, low: value != 0);
            if (value != 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(_data.Take(2), (ushort)value);
            }
        }
    }

    public override void String(ref string? value)
    {
        AddBoolean(value is not null);
        if (value is null)
        {
            return;
        }

        // Names are below three bytes a character by far; what is longer than the form allows is cut.
        int length = JavaText.ByteCount(value);
        if (length > WireLimits.StringBytesMax)
        {
            value = value[..(WireLimits.StringBytesMax / 3)];
            length = JavaText.ByteCount(value);
        }

        AddStringHeader(length, isOneByte: length == value.Length);
        JavaText.Encode(value, _data.Take(length));
    }

    public override void Text(ref WireText value)
    {
        AddBoolean(value.IsPresent);
        if (value.IsPresent)
        {
            ReadOnlySpan<byte> bytes = value.Bytes.Span;
            bytes = bytes[..Math.Min(bytes.Length, WireLimits.StringBytesMax)];
            AddStringHeader(bytes.Length, isOneByte: _format.IsTight && JavaText.IsAscii(bytes));
            bytes.CopyTo(_data.Take(bytes.Length));
        }
    }

    public override void Bytes(ref ReadOnlyMemory<byte>? value)
    {
        AddBoolean(value is not null);
        if (value is { } bytes)
        {
            BinaryPrimitives.WriteInt32BigEndian(_data.Take(4), bytes.Length);
            bytes.Span.CopyTo(_data.Take(bytes.Length));
        }
    }

    public override void Fixed(Span<byte> value) => value.CopyTo(_data.Take(value.Length));

    public override void Throwable(ref WireThrowable? value)
    {
        AddBoolean(value is not null);
        if (value is not null)
        {
            string? name = value.ClassName;
            string? message = value.Message;
            String(ref name);
            String(ref message);
        }
    }

    protected override int ArrayLength(int length)
    {
        AddBoolean(length >= 0);
        if (length >= 0)
        {
            BinaryPrimitives.WriteInt16BigEndian(_data.Take(2), (short)length);
        }

        return length;
    }

    protected override IDataStructure? Nested(IDataStructure? value)
    {
        AddBoolean(value is not null);
        if (value is null)
        {
            return null;
        }

        _data.Add((byte)value.Type);
        if (_format.IsTight && DataTypes.HasOwnForm(value.Type))
        {
            _bits.Add(false);
        }

        value.Visit(this);
        return value;
    }

    protected override IDataStructure? Cached(IDataStructure? value)
    {
        if (_cache is null)
        {
            return Nested(value);
        }

        // Java keeps null like any other value; a slot of its own does the same.
        bool isNew = _cache.Add(value, out int slot);
        AddBoolean(isNew);
        BinaryPrimitives.WriteInt16BigEndian(_data.Take(2), (short)slot);
        return isNew ? Nested(value) : value;
    }

    private void AddWidth(bool high, bool low)
    {
        if (_format.IsTight)
        {
            _bits.Add(high);
            _bits.Add(low);
        }
    }

    private void AddBoolean(bool value)
    {
        bool copy = value;
        Boolean(ref copy);
    }

    private void AddStringHeader(int length, bool isOneByte)
    {
        if (_format.IsTight)
        {
            _bits.Add(isOneByte);
        }

        BinaryPrimitives.WriteUInt16BigEndian(_data.Take(2), (ushort)length);
    }
}
