namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// Goes over the fields of a structure, reading or writing. In tight encoding booleans, the width of longs and the
/// presence of strings and structures are bits in front of the data; in loose encoding everything stands in line.
/// </summary>
internal abstract class WireFields
{
    /// <summary>The version that both sides speak, 1 to 12.</summary>
    public int Version { get; protected set; } = 1;

    public abstract void Boolean(ref bool value);

    public abstract void Byte(ref byte value);

    public abstract void Int(ref int value);

    public abstract void Long(ref long value);

    /// <summary>A string that is kept (names, ids).</summary>
    public abstract void String(ref string? value);

    /// <summary>A string that passes through.</summary>
    public abstract void Text(ref WireText value);

    /// <summary>Bytes that may be absent.</summary>
    public abstract void Bytes(ref ReadOnlyMemory<byte>? value);

    /// <summary>Bytes whose number is part of the protocol.</summary>
    public abstract void Fixed(Span<byte> value);

    /// <summary>What went wrong at the peer, as text.</summary>
    public abstract void Throwable(ref WireThrowable? value);

    /// <summary>A structure that may be absent.</summary>
    public void Nested<T>(ref T? value)
        where T : class, IDataStructure => value = As<T>(Nested(value));

    /// <summary>A structure that may travel as its number in the cache.</summary>
    public void Cached<T>(ref T? value)
        where T : class, IDataStructure => value = As<T>(Cached(value));

    /// <summary>Structures, or no array at all.</summary>
    public void Array<T>(ref T[]? value)
        where T : class, IDataStructure
    {
        int count = ArrayLength(value?.Length ?? -1);
        if (count < 0)
        {
            value = null;
            return;
        }

        T?[] elements = value ?? NewArray<T>(count);
        for (int i = 0; i < count; i++)
        {
            Nested(ref elements[i]);
        }

        value = elements!;
    }

    protected abstract IDataStructure? Nested(IDataStructure? value);

    protected abstract IDataStructure? Cached(IDataStructure? value);

    /// <summary>-1: no array.</summary>
    protected abstract int ArrayLength(int length);

    // Room for what a peer announces comes only when it is there: the length was checked against what is left.
    private static T?[] NewArray<T>(int count) => new T?[count];

    private static T? As<T>(IDataStructure? value)
        where T : class, IDataStructure => value switch
        {
            null => null,
            T right => right,
            _ => throw new OpenWireException($"a {value.Type} stands where a {typeof(T).Name} belongs"),
        };
}

/// <summary>A Java exception as text. No type that it names is looked up.</summary>
internal sealed record WireThrowable(string ClassName, string? Message);
