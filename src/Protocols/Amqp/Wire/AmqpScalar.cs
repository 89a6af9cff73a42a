namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// One value looked at in place, without allocation. Of lists, maps, arrays and described values it holds the encoded
/// bytes. Lives as long as the bytes that it was read from.
/// </summary>
public readonly ref struct AmqpScalar
{
    private readonly ulong _bits;

    internal AmqpScalar(AmqpType type, ulong bits, ReadOnlySpan<byte> content, ReadOnlySpan<byte> encoded)
    {
        Type = type;
        _bits = bits;
        Content = content;
        Encoded = encoded;
    }

    public AmqpType Type { get; }

    /// <summary>The value as it is encoded, with its format code. Empty in a default scalar.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    /// <summary>The bytes of a binary, string (UTF-8), symbol (ASCII), uuid or decimal; else empty.</summary>
    public ReadOnlySpan<byte> Content { get; }

    public bool IsNull => Type == AmqpType.Null;

    public bool IsText => Type is AmqpType.String or AmqpType.Symbol;

    /// <summary>The value of a boolean; false for any other type.</summary>
    public bool AsBoolean => Type == AmqpType.Boolean && _bits != 0;

    /// <summary>Integers sign-extended, a timestamp in milliseconds; else zero.</summary>
    public ulong Bits => _bits;

    /// <summary>An integer of any width, or a timestamp, if it fits into 64 signed bits.</summary>
    public bool TryGetInt64(out long value) => TryGetInt64(Type, _bits, out value);

    /// <summary>The same of the bits of any value.</summary>
    internal static bool TryGetInt64(AmqpType type, ulong bits, out long value)
    {
        value = (long)bits;
        return type switch
        {
            AmqpType.ULong => value >= 0,
            AmqpType.UByte or AmqpType.UShort or AmqpType.UInt or AmqpType.Byte or AmqpType.Short or AmqpType.Int
                or AmqpType.Long or AmqpType.Timestamp => true,
            _ => false,
        };
    }

    /// <summary>A float or double.</summary>
    public bool TryGetDouble(out double value)
    {
        value = Type switch
        {
            AmqpType.Float => BitConverter.UInt32BitsToSingle((uint)_bits),
            AmqpType.Double => BitConverter.UInt64BitsToDouble(_bits),
            _ => 0,
        };
        return Type is AmqpType.Float or AmqpType.Double;
    }

    /// <summary>The text of a string or symbol, else null. Allocates; invalid text is a decode error.</summary>
    public string? GetText() => Type switch
    {
        AmqpType.String => AmqpReader.DecodeUtf8(Content),
        AmqpType.Symbol => AmqpReader.DecodeAscii(Content),
        _ => null,
    };

    /// <summary>The value decoded; allocates.</summary>
    public AmqpValue ToValue() => Encoded.IsEmpty ? AmqpValue.Null : AmqpValue.FromEncoded(Encoded);
}
