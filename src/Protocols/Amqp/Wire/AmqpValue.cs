using System.Globalization;
using System.Text;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Any AMQP value, decoded: a tag, eight bytes, and a reference for what does not fit in them. Immutable, compared by
/// content. For maps of open and attach, filters, management; the message path does not make any.
/// </summary>
public readonly struct AmqpValue : IEquatable<AmqpValue>
{
    private readonly ulong _bits;
    private readonly object? _reference;

    private AmqpValue(AmqpType type, ulong bits, object? reference = null)
    {
        Type = type;
        _bits = bits;
        _reference = reference;
    }

    public AmqpType Type { get; }

    /// <summary>Integers sign-extended, floats by their bits, a boolean as 0 or 1.</summary>
    internal ulong Bits => _bits;

    public bool IsNull => Type == AmqpType.Null;

    public static AmqpValue Null => default;

    public static AmqpValue Boolean(bool value) => new(AmqpType.Boolean, value ? 1u : 0u);

    public static AmqpValue UByte(byte value) => new(AmqpType.UByte, value);

    public static AmqpValue UShort(ushort value) => new(AmqpType.UShort, value);

    public static AmqpValue UInt(uint value) => new(AmqpType.UInt, value);

    public static AmqpValue ULong(ulong value) => new(AmqpType.ULong, value);

    public static AmqpValue Byte(sbyte value) => new(AmqpType.Byte, (ulong)value);

    public static AmqpValue Short(short value) => new(AmqpType.Short, (ulong)value);

    public static AmqpValue Int(int value) => new(AmqpType.Int, (ulong)value);

    public static AmqpValue Long(long value) => new(AmqpType.Long, (ulong)value);

    public static AmqpValue Float(float value) => new(AmqpType.Float, BitConverter.SingleToUInt32Bits(value));

    public static AmqpValue Double(double value) => new(AmqpType.Double, BitConverter.DoubleToUInt64Bits(value));

    public static AmqpValue Char(Rune value) => new(AmqpType.Char, (ulong)value.Value);

    /// <param name="unixMs">Milliseconds since the Unix epoch.</param>
    public static AmqpValue Timestamp(long unixMs) => new(AmqpType.Timestamp, (ulong)unixMs);

    public static AmqpValue Uuid(Guid value) => new(AmqpType.Uuid, 0, value);

    /// <summary>A decimal of 4, 8 or 16 raw bytes, big-endian.</summary>
    public static AmqpValue Decimal(byte[] value) => value.Length switch
    {
        4 => new AmqpValue(AmqpType.Decimal32, 0, value),
        8 => new AmqpValue(AmqpType.Decimal64, 0, value),
        16 => new AmqpValue(AmqpType.Decimal128, 0, value),
        _ => throw new ArgumentException("a decimal has 4, 8 or 16 bytes", nameof(value)),
    };

    public static AmqpValue Binary(byte[] value) => new(AmqpType.Binary, 0, value);

    public static AmqpValue String(string value) => new(AmqpType.String, 0, value);

    public static AmqpValue Symbol(string value) => new(AmqpType.Symbol, 0, value);

    public static AmqpValue List(params AmqpValue[] items) => new(AmqpType.List, 0, items);

    public static AmqpValue Map(AmqpMap map) => new(AmqpType.Map, 0, map);

    public static AmqpValue Array(AmqpArray array) => new(AmqpType.Array, 0, array);

    /// <summary>An array of symbols, as capabilities are written.</summary>
    public static AmqpValue Symbols(params string[] symbols) =>
        Array(new AmqpArray(AmqpType.Symbol, System.Array.ConvertAll(symbols, Symbol)));

    public static AmqpValue Described(AmqpValue descriptor, AmqpValue value) =>
        new(AmqpType.Described, 0, new DescribedPair(descriptor, value));

    public static AmqpValue Described(ulong descriptor, AmqpValue value) => Described(ULong(descriptor), value);

    public static implicit operator AmqpValue(bool value) => Boolean(value);

    public static implicit operator AmqpValue(int value) => Int(value);

    public static implicit operator AmqpValue(uint value) => UInt(value);

    public static implicit operator AmqpValue(long value) => Long(value);

    public static implicit operator AmqpValue(ulong value) => ULong(value);

    public static implicit operator AmqpValue(double value) => Double(value);

    public static implicit operator AmqpValue(string? value) => value is null ? Null : String(value);

    public static implicit operator AmqpValue(byte[]? value) => value is null ? Null : Binary(value);

    public bool AsBoolean() => Is(AmqpType.Boolean) && _bits != 0;

    /// <summary>A signed or unsigned integer of any width, or a timestamp, if it fits into 64 signed bits.</summary>
    public bool TryGetInt64(out long value) => AmqpScalar.TryGetInt64(Type, _bits, out value);

    public ulong AsULong() => Is(AmqpType.ULong) ? _bits : 0;

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long AsTimestamp() => Is(AmqpType.Timestamp) ? (long)_bits : 0;

    public float AsFloat() => Is(AmqpType.Float) ? BitConverter.UInt32BitsToSingle((uint)_bits) : 0;

    public double AsDouble() => Is(AmqpType.Double) ? BitConverter.UInt64BitsToDouble(_bits) : 0;

    public Rune AsChar() => Is(AmqpType.Char) ? new Rune((uint)_bits) : default;

    public Guid AsUuid() => Is(AmqpType.Uuid) ? (Guid)_reference! : default;

    /// <summary>The text of a string or symbol, else null.</summary>
    public string? AsText() => Type is AmqpType.String or AmqpType.Symbol ? (string)_reference! : null;

    public ReadOnlySpan<byte> AsBinary() => Is(AmqpType.Binary) ? (byte[])_reference! : default;

    /// <summary>The raw bytes of a decimal.</summary>
    public ReadOnlySpan<byte> AsDecimalBytes() =>
        Type is AmqpType.Decimal32 or AmqpType.Decimal64 or AmqpType.Decimal128 ? (byte[])_reference! : default;

    public IReadOnlyList<AmqpValue> AsList() => Is(AmqpType.List) ? (AmqpValue[])_reference! : [];

    public AmqpMap? AsMap() => Type == AmqpType.Map ? (AmqpMap)_reference! : null;

    public AmqpArray? AsArray() => Type == AmqpType.Array ? (AmqpArray)_reference! : null;

    /// <summary>The descriptor of a described value, else null.</summary>
    public AmqpValue Descriptor => Type == AmqpType.Described ? ((DescribedPair)_reference!).Descriptor : Null;

    /// <summary>
    /// The numeric code of the descriptor; a symbol of the specification gives the same. Zero: unknown.
    /// </summary>
    public ulong DescriptorCode => Descriptor.Type switch
    {
        AmqpType.ULong => Descriptor._bits,
        AmqpType.Symbol => Descriptors.FromSymbol(Encoding.ASCII.GetBytes(Descriptor.AsText()!)),
        _ => 0,
    };

    /// <summary>What a described value describes; any other value itself.</summary>
    public AmqpValue Undescribed => Type == AmqpType.Described ? ((DescribedPair)_reference!).Value : this;

    /// <summary>The symbols of a field with multiple="true": none, one, or an array of them.</summary>
    public IReadOnlyList<string> AsSymbols() => Type switch
    {
        AmqpType.Symbol => [(string)_reference!],
        AmqpType.Array => [.. AsArray()!.Items.Where(i => i.Type == AmqpType.Symbol).Select(i => i.AsText()!)],
        _ => [],
    };

    public static AmqpValue Read(scoped ref AmqpReader reader) => reader.ReadValue();

    public void Write(scoped ref AmqpWriter writer) => writer.WriteValue(this);

    public byte[] ToEncoded()
    {
        System.Buffers.ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output);
        writer.WriteValue(this);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Decodes exactly one value.</summary>
    public static AmqpValue FromEncoded(ReadOnlySpan<byte> encoded)
    {
        AmqpReader reader = new(encoded);
        AmqpValue value = reader.ReadValue();
        return reader.AtEnd ? value : throw AmqpException.Decode("bytes follow the value");
    }

    public bool Equals(AmqpValue other) => Type == other.Type && _bits == other._bits && _reference switch
    {
        null => other._reference is null,
        byte[] own => own.AsSpan().SequenceEqual((byte[])other._reference!),
        AmqpValue[] own => own.AsSpan().SequenceEqual((AmqpValue[])other._reference!),
        _ => _reference.Equals(other._reference),
    };

    public override bool Equals(object? obj) => obj is AmqpValue other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Type);
        hash.Add(_bits);
        switch (_reference)
        {
            case byte[] own:
                hash.AddBytes(own);
                break;
            case AmqpValue[] own:
                hash.Add(own.Length);
                break;
            default:
                hash.Add(_reference);
                break;
        }
        return hash.ToHashCode();
    }

    public static bool operator ==(AmqpValue left, AmqpValue right) => left.Equals(right);

    public static bool operator !=(AmqpValue left, AmqpValue right) => !left.Equals(right);

    /// <summary>For logs and the command line; not parsed by anyone.</summary>
    public override string ToString() => Type switch
    {
        AmqpType.Null => "null",
        AmqpType.Boolean => _bits != 0 ? "true" : "false",
        AmqpType.UByte or AmqpType.UShort or AmqpType.UInt or AmqpType.ULong =>
            _bits.ToString(CultureInfo.InvariantCulture),
        AmqpType.Byte or AmqpType.Short or AmqpType.Int or AmqpType.Long =>
            ((long)_bits).ToString(CultureInfo.InvariantCulture),
        AmqpType.Float => AsFloat().ToString(CultureInfo.InvariantCulture),
        AmqpType.Double => AsDouble().ToString(CultureInfo.InvariantCulture),
        AmqpType.Char => AsChar().ToString(),
        AmqpType.Timestamp => ((long)_bits).ToString(CultureInfo.InvariantCulture),
        AmqpType.Binary or AmqpType.Decimal32 or AmqpType.Decimal64 or AmqpType.Decimal128 =>
            "0x" + Convert.ToHexStringLower((byte[])_reference!),
        AmqpType.List => "[" + string.Join(", ", (AmqpValue[])_reference!) + "]",
        AmqpType.Described => $"@{Descriptor} {Undescribed}",
        _ => _reference?.ToString() ?? "",
    };

    private bool Is(AmqpType expected) => Type == expected
        ? true
        : throw AmqpException.Decode($"expected {expected}, found {Type}".ToLowerInvariant());

    private sealed record DescribedPair(AmqpValue Descriptor, AmqpValue Value);
}
