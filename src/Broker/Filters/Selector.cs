using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>
/// A JMS message selector (SQL-92 conditional expression, JMS 2.0 section 3.8.1), parsed once and evaluated against
/// many messages. Immutable; any thread. Evaluation allocates nothing and its work is bounded.
/// </summary>
public sealed class Selector
{
    /// <summary>The longest selector, in UTF-16 units.</summary>
    public const int TextLengthMax = 65_536;

    /// <summary>The most nested parts.</summary>
    public const int DepthMax = 64;

    /// <summary>The most parts (constants, identifiers, operators).</summary>
    public const int NodesMax = 1024;

    /// <summary>The most different properties.</summary>
    public const int PropertiesMax = 32;

    /// <summary>The work that one evaluation may do, in steps (a property found, or up to some ten bytes compared):
    /// less than a millisecond.</summary>
    public const int StepsMax = 65_536;

    private const string ConvertsPrefix = "convert_string_expressions:";
    private const string HyphensPrefix = "hyphenated_props:";

    private readonly SelectorNode _root;
    private readonly int _slots;
    private readonly bool _convertsStrings;
    private long _overBudget;

    private Selector(string text, SelectorNode root, int slots, bool convertsStrings)
    {
        Text = text;
        _root = root;
        _slots = slots;
        _convertsStrings = convertsStrings;
    }

    /// <summary>The text as it was written.</summary>
    public string Text { get; }

    /// <summary>Evaluations that were given up because the message made too much work; they count as no
    /// match.</summary>
    public long OverBudgetCount => Interlocked.Read(ref _overBudget);

    /// <summary>Reads a selector. It may begin with ActiveMQ's prefixes: <c>convert_string_expressions:</c> (a string
    /// compared with a number or a boolean counts as one), <c>hyphenated_props:</c> (identifiers may hold <c>-</c>) and
    /// the same with <c>no_</c>. <see cref="BrokerException"/> InvalidField says where it cannot be read and what was
    /// expected there.</summary>
    public static Selector Parse(string text)
    {
        if (text.Length > TextLengthMax)
        {
            throw new BrokerException(
                BrokerError.InvalidField,
                $"the selector is {text.Length} characters long; at most {TextLengthMax} are allowed");
        }

        string rest = text;
        bool converts = false;
        bool hyphens = false;
        while (Cut(ref rest, ConvertsPrefix, ref converts) || Cut(ref rest, HyphensPrefix, ref hyphens))
        {
        }

        SelectorNode root = SelectorParser.Parse(rest, hyphens, out int slots);
        return new Selector(text, root, slots, converts);
    }

    /// <summary>The same; null for no text or blank text, which by JMS means "no selector".</summary>
    public static Selector? ParseOptional(string? text) => string.IsNullOrWhiteSpace(text) ? null : Parse(text);

    /// <summary>
    /// Whether the message is selected: the condition is true, not false and not unknown. Without a reader for the
    /// payload's format only what the header holds is known.
    /// </summary>
    public bool Matches(in MessageHeader header, ReadOnlySpan<byte> payload, IPropertyReader? reader)
    {
        Span<CachedProperty> cache = _slots == 0 ? default : stackalloc CachedProperty[_slots];
        cache.Clear();
        var evaluation = new Evaluation(in header, payload, reader, cache) { ConvertsStrings = _convertsStrings };
        PropertyValue result = _root.Evaluate(ref evaluation);
        if (evaluation.IsOverBudget)
        {
            Interlocked.Increment(ref _overBudget);
            return false;
        }

        return result.Kind == PropertyKind.Boolean && result.Boolean;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool Cut(ref string text, string prefix, ref bool isOn)
    {
        const string No = "no_";
        bool isNo = text.StartsWith(No + prefix, StringComparison.Ordinal);
        if (!isNo && !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        isOn = !isNo;
        text = text[(prefix.Length + (isNo ? No.Length : 0))..];
        return true;
    }
}
