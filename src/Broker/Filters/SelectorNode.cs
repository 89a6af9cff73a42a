using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>
/// A part of a parsed selector. Immutable; evaluating allocates nothing. Conditions give a Boolean, or Null for
/// "unknown" (the three-valued logic of SQL-92: JMS 2.0 section 3.8.1.2).
/// </summary>
internal abstract class SelectorNode(PropertyKind? kind, int depth)
{
    /// <summary>What it gives, when that is known before any message: everything but properties.</summary>
    public PropertyKind? Kind { get; } = kind;

    /// <summary>Levels of nodes from here down.</summary>
    public int Depth { get; } = depth;

    public abstract PropertyValue Evaluate(scoped ref Evaluation evaluation);

    protected static PropertyValue Unless(bool negated, bool value) => PropertyValue.From(value != negated);
}

/// <summary>A constant.</summary>
internal sealed class LiteralNode : SelectorNode
{
    private readonly long _bits;
    private readonly byte[] _utf8;

    private LiteralNode(PropertyKind kind, long bits, byte[] utf8)
        : base(kind, 1)
    {
        _bits = bits;
        _utf8 = utf8;
    }

    public static LiteralNode Of(string text) => new(PropertyKind.String, 0, System.Text.Encoding.UTF8.GetBytes(text));

    public static LiteralNode Of(long number) => new(PropertyKind.Long, number, []);

    public static LiteralNode Of(double number) => new(PropertyKind.Double, BitConverter.DoubleToInt64Bits(number), []);

    public static LiteralNode Of(bool truth) => new(PropertyKind.Boolean, truth ? 1 : 0, []);

    public override PropertyValue Evaluate(scoped ref Evaluation evaluation) => Value;

    public PropertyValue Value => Kind switch
    {
        PropertyKind.String => PropertyValue.From((ReadOnlySpan<byte>)_utf8),
        PropertyKind.Long => PropertyValue.From(_bits),
        PropertyKind.Double => PropertyValue.From(BitConverter.Int64BitsToDouble(_bits)),
        _ => PropertyValue.From(_bits != 0),
    };
}

/// <summary>A property that the protocol's reader finds in the payload.</summary>
internal sealed class PropertyNode(string name, int slot) : SelectorNode(null, 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation) => evaluation.Read(name, slot);
}

/// <summary>What the broker itself knows of a message, by the names that Artemis gave it.</summary>
internal sealed class HeaderNode(HeaderField field) : SelectorNode(
    field == HeaderField.Durable ? PropertyKind.String : PropertyKind.Long, 1)
{
    public static HeaderNode? ByName(string name) => name switch
    {
        "AMQPriority" => new HeaderNode(HeaderField.Priority),
        "AMQExpiration" => new HeaderNode(HeaderField.Expiration),
        "AMQTimestamp" => new HeaderNode(HeaderField.Timestamp),
        "AMQDurable" => new HeaderNode(HeaderField.Durable),
        "AMQSize" => new HeaderNode(HeaderField.Size),
        _ => null,
    };

    public override PropertyValue Evaluate(scoped ref Evaluation evaluation) => field switch
    {
        HeaderField.Priority => PropertyValue.From((long)Math.Min(evaluation.Header.Priority, (byte)9)),
        HeaderField.Expiration => PropertyValue.From(evaluation.Header.ExpiresAtMs),
        HeaderField.Timestamp => PropertyValue.From(evaluation.Header.PublishedAtMs),
        HeaderField.Durable => PropertyValue.From(evaluation.Header.Durable ? "DURABLE"u8 : "NON_DURABLE"u8),
        _ => PropertyValue.From((long)evaluation.PayloadBytes),
    };
}

/// <summary>The fields of <see cref="HeaderNode"/>.</summary>
internal enum HeaderField
{
    Priority,
    Expiration,
    Timestamp,
    Durable,
    Size,
}
