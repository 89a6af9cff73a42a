namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// An array (part 1 section 1.6.24): items of one type, behind one constructor. Where the constructor is described,
/// <see cref="Descriptors"/> holds its descriptors, the outermost first, and the items are the values described.
/// </summary>
public sealed class AmqpArray : IEquatable<AmqpArray>
{
    private readonly AmqpValue[] _items;
    private readonly AmqpValue[] _descriptors;

    /// <exception cref="ArgumentException">An item is of another type than <paramref name="elementType"/>.</exception>
    public AmqpArray(AmqpType elementType, AmqpValue[] items, params AmqpValue[] descriptors)
    {
        if (elementType == AmqpType.Described || items.Any(item => item.Type != elementType))
        {
            throw new ArgumentException("the items of an array are of one type, and descriptors apart", nameof(items));
        }
        ElementType = elementType;
        _items = items;
        _descriptors = descriptors;
    }

    public AmqpType ElementType { get; }

    public IReadOnlyList<AmqpValue> Items => _items;

    public IReadOnlyList<AmqpValue> Descriptors => _descriptors;

    internal ReadOnlySpan<AmqpValue> ItemSpan => _items;

    public bool Equals(AmqpArray? other) => other is not null && ElementType == other.ElementType
        && _items.AsSpan().SequenceEqual(other._items) && _descriptors.AsSpan().SequenceEqual(other._descriptors);

    public override bool Equals(object? obj) => Equals(obj as AmqpArray);

    public override int GetHashCode() => HashCode.Combine(ElementType, _items.Length, _descriptors.Length);

    public override string ToString() => "@[" + string.Join(", ", _items) + "]";
}
