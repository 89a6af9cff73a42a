using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// Reads structures out of one frame at a time. Texts and bytes are slices of the frame. Every length is checked
/// against what is there. One per connection, for the cache is the connection's. Errors: <see
/// cref="OpenWireException"/>.
/// </summary>
internal sealed class WireReader : WireFields
{
    private readonly StringPool _strings = new();
    private ReadOnlyMemory<byte> _frame;
    private int _at;
    private int _bit;
    private int _bitEnd;
    private int _depth;
    private WireFormat _format = WireFormat.Initial;
    private PeerCache? _cache;

    /// <summary>Bytes of the frame that were read.</summary>
    public int Position => _at;

    /// <summary>From now on the peer writes so.</summary>
    public void Use(WireFormat format)
    {
        _format = format;
        Version = format.Version;
        _cache = format.IsCached ? new PeerCache() : null;
    }

    /// <summary>
    /// The structure in a frame without its size; null for the null command. Slices stay valid as long as the frame.
    /// </summary>
    public IDataStructure? Read(ReadOnlyMemory<byte> frame)
    {
        _frame = frame;
        _at = 0;
        _depth = 0;
        var type = (DataType)NextByte();
        if (type == DataType.Null)
        {
            return null;
        }

        IDataStructure structure = Make(type);
        BeginBits();
        structure.Visit(this);
        return structure;
    }

    public override void Boolean(ref bool value) => value = NextBoolean();

    public override void Byte(ref byte value) => value = NextByte();

    public override void Int(ref int value) => value = BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public override void Long(ref long value)
    {
        if (!_format.IsTight)
        {
            value = BinaryPrimitives.ReadInt64BigEndian(Take(8));
            return;
        }

        bool high = NextBit();
        bool low = NextBit();
        value = (high, low) switch
        {
            (true, true) => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
            (true, false) => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            (false, true) => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            _ => 0,
        };
    }

    public override void String(ref string? value)
    {
        WireText text = default;
        Text(ref text);
        value = text.IsPresent ? _strings.Get(text.Bytes.Span) : null;
    }

    public override void Text(ref WireText value)
    {
        value = default;
        if (!NextBoolean())
        {
            return;
        }

        bool isOneByte = _format.IsTight && NextBit();
        int length = BinaryPrimitives.ReadUInt16BigEndian(Take(2));
        ReadOnlyMemory<byte> bytes = TakeMemory(length);
        // The one-byte form claims characters below 80; what is above is meant as Latin-1.
        value = WireText.FromBytes(isOneByte && !Ascii.IsValid(bytes.Span)
            ? JavaText.Encode(Encoding.Latin1.GetString(bytes.Span))
            : bytes);
    }

    public override void Bytes(ref ReadOnlyMemory<byte>? value)
    {
        value = null;
        if (NextBoolean())
        {
            value = TakeMemory(BinaryPrimitives.ReadInt32BigEndian(Take(4)));
        }
    }

    public override void Fixed(Span<byte> value) => Take(value.Length).CopyTo(value);

    public override void Throwable(ref WireThrowable? value)
    {
        value = null;
        if (NextBoolean())
        {
            // Stack traces are never agreed on, so there is none here.
            string? name = null;
            string? message = null;
            String(ref name);
            String(ref message);
            value = new WireThrowable(name ?? "", message);
        }
    }

    protected override int ArrayLength(int length)
    {
        if (!NextBoolean())
        {
            return -1;
        }

        int count = BinaryPrimitives.ReadInt16BigEndian(Take(2));
        return count is >= 0 and <= WireLimits.ArrayElementsMax
            ? count
            : throw new OpenWireException($"an array of {count} elements; at most {WireLimits.ArrayElementsMax}");
    }

    protected override IDataStructure? Nested(IDataStructure? value)
    {
        if (!NextBoolean())
        {
            return null;
        }

        if (++_depth > WireLimits.NestingMax)
        {
            throw new OpenWireException($"structures are nested more than {WireLimits.NestingMax} deep");
        }

        IDataStructure structure = Make((DataType)NextByte());
        if (_format.IsTight && DataTypes.HasOwnForm(structure.Type) && NextBit())
        {
            throw new OpenWireException("a nested command in a form of its own is not supported");
        }

        structure.Visit(this);
        _depth--;
        return structure;
    }

    protected override IDataStructure? Cached(IDataStructure? value)
    {
        if (_cache is null)
        {
            return Nested(value);
        }

        bool isNew = NextBoolean();
        int slot = BinaryPrimitives.ReadInt16BigEndian(Take(2));
        if (!isNew)
        {
            return _cache.Get(slot);
        }

        int start = _at;
        IDataStructure? structure = Nested(value);
        _cache.Set(slot, structure, _at - start);
        return structure;
    }

    private static IDataStructure Make(DataType type) =>
        DataTypes.Create(type) ?? throw new OpenWireException($"there is no structure of type {(byte)type}");

    // One byte for up to 63 bytes of bits, C0 and a byte for up to 255, 80 and two bytes for more.
    private void BeginBits()
    {
        _bit = 0;
        _bitEnd = 0;
        if (!_format.IsTight)
        {
            return;
        }

        int length = NextByte();
        length = length switch
        {
            0xC0 => NextByte(),
            0x80 => BinaryPrimitives.ReadInt16BigEndian(Take(2)),
            _ => length,
        };
        int start = _at;
        Take(length);
        _bit = start * 8;
        _bitEnd = _at * 8;
    }

    private bool NextBoolean() => _format.IsTight ? NextBit() : NextByte() != 0;

    private bool NextBit()
    {
        if (_bit >= _bitEnd)
        {
            throw new OpenWireException("the frame has fewer bits than its fields need");
        }

        bool bit = ((_frame.Span[_bit >> 3] >> (_bit & 7)) & 1) != 0;
        _bit++;
        return bit;
    }

    private byte NextByte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int length) => TakeMemory(length).Span;

    private ReadOnlyMemory<byte> TakeMemory(int length)
    {
        if (length < 0 || length > _frame.Length - _at)
        {
            throw WireFrames.EndOfFrame(length);
        }

        ReadOnlyMemory<byte> taken = _frame.Slice(_at, length);
        _at += length;
        return taken;
    }
}
