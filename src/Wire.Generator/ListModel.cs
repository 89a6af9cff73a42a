namespace Pillarbox.Wire.Generator;

/// <summary>A declared list, free of compiler objects so that the incremental pipeline can compare it.</summary>
internal sealed record ListModel(
    string Namespace,
    string Name,
    string Keywords,
    ulong Code,
    string Symbol,
    bool HasBase,
    EquatableList<FieldModel> Fields);

/// <summary>A field of a declared list.</summary>
/// <param name="Index">Its place in the list, from zero.</param>
/// <param name="Name">The property.</param>
/// <param name="Type">How it is read and written; see <see cref="FieldCoding"/>.</param>
/// <param name="CSharpType">The property's type as source text, without the question mark of nullability.</param>
/// <param name="IsNullable">Null is absence.</param>
/// <param name="IsValueType">A struct or an enum.</param>
/// <param name="IsMandatory">Absence is an error.</param>
/// <param name="Default">Source text of the value that absence means, or null for the type's own default.</param>
/// <param name="EnumUnderlying">An enum's underlying type, else null.</param>
/// <param name="EnumMax">The largest value of an enum's members.</param>
internal sealed record FieldModel(
    int Index,
    string Name,
    FieldCoding Type,
    string CSharpType,
    bool IsNullable,
    bool IsValueType,
    bool IsMandatory,
    string? Default,
    string? EnumUnderlying,
    ulong EnumMax);

internal enum FieldCoding
{
    Boolean,
    UByte,
    UShort,
    UInt,
    ULong,
    Byte,
    Short,
    Int,
    Long,
    String,
    Symbol,
    Symbols,
    Timestamp,
    Binary,
    BinarySpan,
    EncodedSpan,
    Encoded,
    Enum,
    BooleanEnum,
    SymbolEnum,
    Composite,
}

/// <summary>A list compared by its items.</summary>
internal sealed class EquatableList<T> : IEquatable<EquatableList<T>>
{
    public EquatableList(IEnumerable<T> items) => Items = items.ToArray();

    public IReadOnlyList<T> Items { get; }

    public bool Equals(EquatableList<T>? other) => other is not null && Items.SequenceEqual(other.Items);

    public override bool Equals(object? obj) => Equals(obj as EquatableList<T>);

    public override int GetHashCode() => Items.Count;
}
