using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>One evaluation of a selector: the message, what is left of the step budget, and properties read so far.
/// Lives on the stack.</summary>
internal ref struct Evaluation
{
    private readonly ref readonly MessageHeader _header;
    private readonly ReadOnlySpan<byte> _payload;
    private readonly IPropertyReader? _reader;
    private readonly Span<CachedProperty> _cache;
    private int _steps;

    public Evaluation(
        in MessageHeader header, ReadOnlySpan<byte> payload, IPropertyReader? reader, Span<CachedProperty> cache)
    {
        _header = ref header;
        _payload = payload;
        _reader = reader;
        _cache = cache;
        _steps = Selector.StepsMax;
    }

    /// <summary>Whether the budget is used up: the result counts for nothing.</summary>
    public readonly bool IsOverBudget => _steps < 0;

    public readonly ref readonly MessageHeader Header => ref _header;

    public readonly int PayloadBytes => _payload.Length;

    /// <summary>Whether all strings count as untyped (see <see cref="PropertyValue.IsUntyped"/>).</summary>
    public bool ConvertsStrings { get; init; }

    /// <summary>Takes steps off the budget (one is about a handful of bytes compared); false when it is used
    /// up.</summary>
    public bool Spend(int steps)
    {
        _steps -= steps;
        return _steps >= 0;
    }

    /// <summary>A property. With a slot (not -1) it is read out of the payload only once, however often the selector
    /// names it.</summary>
    public PropertyValue Read(string name, int slot)
    {
        if (_reader is null || !Spend(1))
        {
            return PropertyValue.Null;
        }

        if (slot < 0)
        {
            return Read(name);
        }

        ref CachedProperty cached = ref _cache[slot];
        if (!cached.IsKnown)
        {
            PropertyValue value = Read(name);
            if (value.Kind != PropertyKind.String)
            {
                cached = new CachedProperty(value.Kind, value.Bits, 0, 0);
            }
            else if (_payload.Overlaps(value.Utf8, out int offset))
            {
                cached = new CachedProperty(PropertyKind.String, value.Bits, offset, value.Utf8.Length);
            }

            return value;
        }

        return cached.Kind switch
        {
            PropertyKind.Boolean => PropertyValue.From(cached.Bits != 0),
            PropertyKind.Long => PropertyValue.From(cached.Bits),
            PropertyKind.Double => PropertyValue.From(BitConverter.Int64BitsToDouble(cached.Bits)),
            PropertyKind.String => Text(_payload.Slice(cached.Offset, cached.Length), cached.Bits != 0),
            _ => PropertyValue.Null,
        };
    }

    private readonly PropertyValue Read(string name)
    {
        PropertyValue value = _reader!.Read(in _header, _payload, name);
        return ConvertsStrings && value.Kind == PropertyKind.String ? PropertyValue.Untyped(value.Utf8) : value;
    }

    private static PropertyValue Text(ReadOnlySpan<byte> utf8, bool isUntyped) =>
        isUntyped ? PropertyValue.Untyped(utf8) : PropertyValue.From(utf8);
}

/// <summary>A property as the payload's coordinates. Strings that are not slices of the payload are read again each
/// time.</summary>
internal readonly struct CachedProperty(PropertyKind kind, long bits, int offset, int length)
{
    public readonly bool IsKnown = true;
    public readonly PropertyKind Kind = kind;
    public readonly long Bits = bits;
    public readonly int Offset = offset;
    public readonly int Length = length;
}
