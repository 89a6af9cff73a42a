namespace Pillarbox.Model;

/// <summary>The kinds of value that a selector computes with.</summary>
public enum PropertyKind : byte
{
    /// <summary>Absent or null: comparisons with it are unknown.</summary>
    Null = 0,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A whole number in 64 bits.</summary>
    Long,

    /// <summary>An approximate number.</summary>
    Double,

    /// <summary>A string, as UTF-8.</summary>
    String,
}

/// <summary>One property of a message, for selectors: no allocation, strings stay slices of the payload.</summary>
public readonly ref struct PropertyValue
{
    private PropertyValue(PropertyKind kind, long bits, ReadOnlySpan<byte> utf8)
    {
        Kind = kind;
        Bits = bits;
        Utf8 = utf8;
    }

    /// <summary>What it is.</summary>
    public PropertyKind Kind { get; }

    /// <summary>The string's bytes when <see cref="Kind"/> is String.</summary>
    public ReadOnlySpan<byte> Utf8 { get; }

    /// <summary>Whether it is a string only because its protocol has nothing else, such as a header of STOMP: beside a
    /// number or a boolean it counts as one.</summary>
    public bool IsUntyped => Kind == PropertyKind.String && Bits != 0;

    /// <summary>The number when <see cref="Kind"/> is Long; 1 or 0 for Boolean; the raw bits for Double.</summary>
    public long Bits { get; }

    /// <summary>The number when <see cref="Kind"/> is Double.</summary>
    public double Double => BitConverter.Int64BitsToDouble(Bits);

    /// <summary>The truth when <see cref="Kind"/> is Boolean.</summary>
    public bool Boolean => Bits != 0;

    /// <summary>Absent.</summary>
    public static PropertyValue Null => default;

    /// <summary>Wraps a boolean.</summary>
    public static PropertyValue From(bool value) => new(PropertyKind.Boolean, value ? 1 : 0, default);

    /// <summary>Wraps a whole number.</summary>
    public static PropertyValue From(long value) => new(PropertyKind.Long, value, default);

    /// <summary>Wraps a floating-point number.</summary>
    public static PropertyValue From(double value) =>
        new(PropertyKind.Double, BitConverter.DoubleToInt64Bits(value), default);

    /// <summary>Wraps a UTF-8 string.</summary>
    public static PropertyValue From(ReadOnlySpan<byte> utf8) => new(PropertyKind.String, 0, utf8);

    /// <summary>Wraps UTF-8 text of a protocol that has no types, see <see cref="IsUntyped"/>.</summary>
    public static PropertyValue Untyped(ReadOnlySpan<byte> utf8) => new(PropertyKind.String, 1, utf8);
}

/// <summary>
/// Reads properties on demand out of payloads of one format; each protocol registers one with the broker.
/// Pure and thread-safe; must not throw on a malformed payload (answer Null).
/// </summary>
public interface IPropertyReader
{
    /// <summary>The format it understands.</summary>
    PayloadFormat Format { get; }

    /// <summary>
    /// The property that a selector names <paramref name="name"/> (JMS header names such as <c>JMSPriority</c>,
    /// <c>JMSMessageID</c>, <c>JMSType</c>, <c>JMSCorrelationID</c>, <c>JMSXGroupID</c>, or an application property);
    /// Null when absent.
    /// </summary>
    PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name);
}
