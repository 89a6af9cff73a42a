using System.Globalization;

namespace Pillarbox.Model.Content;

/// <summary>The types of values that some protocol can tell apart.</summary>
public enum ContentType : byte
{
    /// <summary>No value.</summary>
    Null = 0,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A signed integer of 8 bits.</summary>
    Int8,

    /// <summary>A signed integer of 16 bits.</summary>
    Int16,

    /// <summary>A signed integer of 32 bits.</summary>
    Int32,

    /// <summary>A signed integer of 64 bits.</summary>
    Int64,

    /// <summary>An unsigned integer of 8 bits.</summary>
    UInt8,

    /// <summary>An unsigned integer of 16 bits.</summary>
    UInt16,

    /// <summary>An unsigned integer of 32 bits.</summary>
    UInt32,

    /// <summary>An unsigned integer of 64 bits.</summary>
    UInt64,

    /// <summary>A floating-point number of 32 bits.</summary>
    Single,

    /// <summary>A floating-point number of 64 bits.</summary>
    Double,

    /// <summary>One Unicode code point (a UTF-16 unit where the protocol has only those).</summary>
    Char,

    /// <summary>Milliseconds since the Unix epoch.</summary>
    Timestamp,

    /// <summary>A UUID.</summary>
    Uuid,

    /// <summary>Bytes.</summary>
    Binary,

    /// <summary>Text.</summary>
    String,

    /// <summary>Values in order.</summary>
    List,

    /// <summary>Values by name, in order.</summary>
    Map,
}

/// <summary>
/// One value of a message's properties or body, in no protocol's encoding. Immutable; bytes and lists that it is made
/// of are not copied. For conversions only: a message that leaves by the protocol it came by is never decoded.
/// </summary>
public readonly struct ContentValue : IEquatable<ContentValue>
{
    private readonly long _bits;
    private readonly object? _reference;

    private ContentValue(ContentType type, long bits, object? reference = null)
    {
        Type = type;
        _bits = bits;
        _reference = reference;
    }

    /// <summary>No value.</summary>
    public static ContentValue Null => default;

    /// <summary>What it is.</summary>
    public ContentType Type { get; }

    /// <summary>Whether it is no value.</summary>
    public bool IsNull => Type == ContentType.Null;

    /// <summary>Whether it is a signed or unsigned integer of any width.</summary>
    public bool IsInteger => Type is >= ContentType.Int8 and <= ContentType.UInt64;

    /// <summary>Of an integer, Char or Timestamp: the number (of a UInt64 the same 64 bits); of a Boolean 1 or 0; else
    /// 0.</summary>
    public long Integer => _bits;

    /// <summary>Whether it is true; false for every other type.</summary>
    public bool Boolean => Type == ContentType.Boolean && _bits != 0;

    /// <summary>The number of a Single or Double; else 0.</summary>
    public double Number => Type is ContentType.Single or ContentType.Double
        ? BitConverter.Int64BitsToDouble(_bits) : 0;

    /// <summary>The text of a String; else null.</summary>
    public string? Text => Type == ContentType.String ? (string)_reference! : null;

    /// <summary>The bytes of a Binary; else empty.</summary>
    public ReadOnlyMemory<byte> Bytes => Type == ContentType.Binary ? (byte[])_reference! : default;

    /// <summary>The value of a Uuid; else the empty one.</summary>
    public Guid Uuid => Type == ContentType.Uuid ? (Guid)_reference! : default;

    /// <summary>The items of a List; else none.</summary>
    public IReadOnlyList<ContentValue> Items =>
        Type == ContentType.List ? (IReadOnlyList<ContentValue>)_reference! : [];

    /// <summary>The entries of a Map; else none.</summary>
    public IReadOnlyList<KeyValuePair<string, ContentValue>> Entries => Type == ContentType.Map
        ? (IReadOnlyList<KeyValuePair<string, ContentValue>>)_reference! : [];

    /// <summary>Wraps a boolean.</summary>
    public static ContentValue From(bool value) => new(ContentType.Boolean, value ? 1 : 0);

    /// <summary>Wraps a number of 8 bits.</summary>
    public static ContentValue From(sbyte value) => new(ContentType.Int8, value);

    /// <summary>Wraps a number of 16 bits.</summary>
    public static ContentValue From(short value) => new(ContentType.Int16, value);

    /// <summary>Wraps a number of 32 bits.</summary>
    public static ContentValue From(int value) => new(ContentType.Int32, value);

    /// <summary>Wraps a number of 64 bits.</summary>
    public static ContentValue From(long value) => new(ContentType.Int64, value);

    /// <summary>Wraps an unsigned number of 8 bits.</summary>
    public static ContentValue From(byte value) => new(ContentType.UInt8, value);

    /// <summary>Wraps an unsigned number of 16 bits.</summary>
    public static ContentValue From(ushort value) => new(ContentType.UInt16, value);

    /// <summary>Wraps an unsigned number of 32 bits.</summary>
    public static ContentValue From(uint value) => new(ContentType.UInt32, value);

    /// <summary>Wraps an unsigned number of 64 bits.</summary>
    public static ContentValue From(ulong value) => new(ContentType.UInt64, (long)value);

    /// <summary>Wraps a floating-point number of 32 bits.</summary>
    public static ContentValue From(float value) =>
        new(ContentType.Single, BitConverter.DoubleToInt64Bits(value));

    /// <summary>Wraps a floating-point number of 64 bits.</summary>
    public static ContentValue From(double value) =>
        new(ContentType.Double, BitConverter.DoubleToInt64Bits(value));

    /// <summary>Wraps text; null becomes no value.</summary>
    public static ContentValue From(string? value) =>
        value is null ? Null : new(ContentType.String, 0, value);

    /// <summary>Wraps bytes, uncopied; null becomes no value.</summary>
    public static ContentValue From(byte[]? value) =>
        value is null ? Null : new(ContentType.Binary, 0, value);

    /// <summary>Wraps a UUID.</summary>
    public static ContentValue From(Guid value) => new(ContentType.Uuid, 0, value);

    /// <summary>Wraps a code point.</summary>
    public static ContentValue Char(int codePoint) => new(ContentType.Char, codePoint);

    /// <summary>Wraps a time in milliseconds since the Unix epoch.</summary>
    public static ContentValue Timestamp(long unixMs) => new(ContentType.Timestamp, unixMs);

    /// <summary>Wraps values in order, uncopied.</summary>
    public static ContentValue List(IReadOnlyList<ContentValue> items) => new(ContentType.List, 0, items);

    /// <summary>Wraps values by name, uncopied.</summary>
    public static ContentValue Map(IReadOnlyList<KeyValuePair<string, ContentValue>> entries) =>
        new(ContentType.Map, 0, entries);

    /// <inheritdoc/>
    public bool Equals(ContentValue other) => Type == other.Type && _bits == other._bits && Type switch
    {
        ContentType.Binary => Bytes.Span.SequenceEqual(other.Bytes.Span),
        ContentType.List => Items.SequenceEqual(other.Items),
        ContentType.Map => Entries.SequenceEqual(other.Entries),
        _ => Equals(_reference, other._reference),
    };

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ContentValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Type switch
    {
        ContentType.Binary => Bytes.Length,
        ContentType.List => Items.Count,
        ContentType.Map => Entries.Count,
        _ => HashCode.Combine(Type, _bits, _reference),
    };

    /// <summary>
    /// The value as text, for protocols that have nothing but text: numbers in invariant form, booleans <c>true</c>
    /// and <c>false</c>, bytes in Base64, times in milliseconds; of lists and maps a readable form that nothing parses.
    /// </summary>
    public override string ToString() => Type switch
    {
        ContentType.Null => "",
        ContentType.Boolean => _bits != 0 ? "true" : "false",
        ContentType.UInt64 => ((ulong)_bits).ToString(CultureInfo.InvariantCulture),
        ContentType.Single => ((float)Number).ToString(CultureInfo.InvariantCulture),
        ContentType.Double => Number.ToString(CultureInfo.InvariantCulture),
        ContentType.Char => char.ConvertFromUtf32(IsSurrogate((int)_bits) ? '\uFFFD' : (int)_bits),
        ContentType.Uuid => Uuid.ToString(),
        ContentType.Binary => Convert.ToBase64String(Bytes.Span),
        ContentType.String => Text!,
        ContentType.List => "[" + string.Join(", ", Items) + "]",
        ContentType.Map => "{" + string.Join(", ", Entries.Select(e => $"{e.Key}: {e.Value}")) + "}",
        _ => _bits.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Equal in type and content.</summary>
    public static bool operator ==(ContentValue left, ContentValue right) => left.Equals(right);

    /// <summary>Not equal.</summary>
    public static bool operator !=(ContentValue left, ContentValue right) => !left.Equals(right);

    private static bool IsSurrogate(int codePoint) => codePoint is (>= 0xD800 and <= 0xDFFF) or < 0 or > 0x10FFFF;
}
