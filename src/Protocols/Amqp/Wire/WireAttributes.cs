namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Declares a described list (part 1 section 1.4). Wire.Generator writes its <c>DescriptorCode</c>, <c>Read</c>,
/// <c>ReadFields</c> (after the descriptor was read) and <c>Write</c> from the properties marked with
/// <see cref="FieldAttribute"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
internal sealed class AmqpListAttribute(ulong code, string symbol) : Attribute
{
    public ulong Code { get; } = code;

    public string Symbol { get; } = symbol;
}

/// <summary>How a field is encoded where its C# type does not say it.</summary>
internal enum FieldKind
{
    /// <summary>By the C# type: bool, byte... are their namesakes, string is string, a byte span is binary.</summary>
    Auto,

    /// <summary>A symbol, or for string[] one symbol or an array of them (multiple="true").</summary>
    Symbol,

    /// <summary>A timestamp held as long, in milliseconds since the Unix epoch.</summary>
    Timestamp,

    /// <summary>A value of any type as its encoded bytes; empty means null.</summary>
    Encoded,

    /// <summary>An enum of two values that is a boolean on the wire.</summary>
    Boolean,
}

/// <summary>
/// A field of a described list: its place in the list, and what the table of the specification says of it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FieldAttribute(int index, FieldKind kind = FieldKind.Auto) : Attribute
{
    public int Index { get; } = index;

    public FieldKind Kind { get; } = kind;

    /// <summary>Absent or null is a decode error.</summary>
    public bool Mandatory { get; init; }

    /// <summary>
    /// What absence means; a field with this value is written as null. Zero and false go without saying.
    /// </summary>
    public object? Default { get; init; }
}
