using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>NOT: unknown stays unknown.</summary>
internal sealed class NotNode(SelectorNode operand) : SelectorNode(PropertyKind.Boolean, operand.Depth + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        PropertyValue value = operand.Evaluate(ref evaluation);
        return value.Kind == PropertyKind.Boolean ? PropertyValue.From(!value.Boolean) : PropertyValue.Null;
    }
}

/// <summary>
/// AND and OR over any number of operands. The deciding truth (false for AND, true for OR) decides at once; otherwise
/// one unknown makes the whole unknown.
/// </summary>
internal sealed class JunctionNode(bool decidedBy, SelectorNode[] operands)
    : SelectorNode(PropertyKind.Boolean, operands.Max(static node => node.Depth) + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        bool unknown = false;
        foreach (SelectorNode operand in operands)
        {
            PropertyValue value = operand.Evaluate(ref evaluation);
            if (value.Kind != PropertyKind.Boolean)
            {
                unknown = true;
            }
            else if (value.Boolean == decidedBy)
            {
                return PropertyValue.From(decidedBy);
            }
        }

        return unknown ? PropertyValue.Null : PropertyValue.From(!decidedBy);
    }
}

/// <summary>IS NULL and IS NOT NULL: the only condition on a missing property that is never unknown.</summary>
internal sealed class NullNode(SelectorNode operand, bool negated)
    : SelectorNode(PropertyKind.Boolean, operand.Depth + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation) =>
        Unless(negated, operand.Evaluate(ref evaluation).Kind == PropertyKind.Null);
}

/// <summary>
/// = &lt;&gt; &lt; &lt;= &gt; &gt;= of two values. Unknown when one is null; false, also for &lt;&gt;, when they are
/// not of like type, and for the orders of strings and booleans, which have none. Untyped text takes the type of what
/// it is compared with; two of it have the order of the numbers that they are.
/// </summary>
internal sealed class ComparisonNode(TokenKind comparison, SelectorNode left, SelectorNode right)
    : SelectorNode(PropertyKind.Boolean, Math.Max(left.Depth, right.Depth) + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        PropertyValue a = left.Evaluate(ref evaluation);
        PropertyValue b = right.Evaluate(ref evaluation);
        return Compare(comparison, a, b, ref evaluation);
    }

    public static PropertyValue Compare(
        TokenKind comparison, scoped in PropertyValue a, scoped in PropertyValue b, scoped ref Evaluation evaluation)
    {
        if (a.Kind == PropertyKind.Null || b.Kind == PropertyKind.Null)
        {
            return PropertyValue.Null;
        }

        if (a.Kind == PropertyKind.Long && b.Kind == PropertyKind.Long)
        {
            return PropertyValue.From(Holds(comparison, a.Bits.CompareTo(b.Bits)));
        }

        if (Numbers.IsNumber(a) && Numbers.IsNumber(b))
        {
            return PropertyValue.From(Holds(comparison, Numbers.ToDouble(a), Numbers.ToDouble(b)));
        }

        bool isOrder = comparison is not (TokenKind.Equal or TokenKind.NotEqual);
        if (a.Kind != b.Kind || isOrder)
        {
            return CompareUntyped(comparison, a, b, ref evaluation);
        }

        bool equal = a.Kind == PropertyKind.Boolean ? a.Boolean == b.Boolean : SameText(a, b, ref evaluation);
        return PropertyValue.From(equal == (comparison == TokenKind.Equal));
    }

    private static PropertyValue CompareUntyped(
        TokenKind comparison, scoped in PropertyValue a, scoped in PropertyValue b, scoped ref Evaluation evaluation)
    {
        if (a.IsUntyped && b.IsUntyped)
        {
            return UntypedText.IsNumber(a, out PropertyValue left) && UntypedText.IsNumber(b, out PropertyValue right)
                ? Compare(comparison, left, right, ref evaluation)
                : PropertyValue.From(false);
        }

        return UntypedText.TryRead(a, b.Kind, out PropertyValue read) ? Compare(comparison, read, b, ref evaluation)
            : UntypedText.TryRead(b, a.Kind, out read) ? Compare(comparison, a, read, ref evaluation)
            : PropertyValue.From(false);
    }

    private static bool SameText(
        scoped in PropertyValue a, scoped in PropertyValue b, scoped ref Evaluation evaluation) =>
        a.Utf8.Length == b.Utf8.Length
        && evaluation.Spend(1 + (a.Utf8.Length >> 6))
        && a.Utf8.SequenceEqual(b.Utf8);

    private static bool Holds(TokenKind comparison, int order) => comparison switch
    {
        TokenKind.Equal => order == 0,
        TokenKind.NotEqual => order != 0,
        TokenKind.Less => order < 0,
        TokenKind.LessOrEqual => order <= 0,
        TokenKind.Greater => order > 0,
        _ => order >= 0,
    };

    private static bool Holds(TokenKind comparison, double a, double b) => comparison switch
    {
        TokenKind.Equal => a == b,
        TokenKind.NotEqual => a != b,
        TokenKind.Less => a < b,
        TokenKind.LessOrEqual => a <= b,
        TokenKind.Greater => a > b,
        _ => a >= b,
    };
}

/// <summary>x BETWEEN low AND high, which is x &gt;= low AND x &lt;= high.</summary>
internal sealed class BetweenNode(SelectorNode operand, SelectorNode low, SelectorNode high, bool negated)
    : SelectorNode(PropertyKind.Boolean, Math.Max(operand.Depth, Math.Max(low.Depth, high.Depth)) + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        PropertyValue value = operand.Evaluate(ref evaluation);
        PropertyValue from = low.Evaluate(ref evaluation);
        PropertyValue to = high.Evaluate(ref evaluation);
        PropertyValue above = ComparisonNode.Compare(TokenKind.GreaterOrEqual, value, from, ref evaluation);
        PropertyValue below = ComparisonNode.Compare(TokenKind.LessOrEqual, value, to, ref evaluation);
        bool outside = IsFalse(above) || IsFalse(below);
        bool unknown = above.Kind == PropertyKind.Null || below.Kind == PropertyKind.Null;
        return unknown && !outside ? PropertyValue.Null : Unless(negated, !outside);
    }

    private static bool IsFalse(scoped in PropertyValue value) => value.Kind == PropertyKind.Boolean && !value.Boolean;
}

/// <summary>x IN (constant, ...): unknown when x is null.</summary>
internal sealed class InNode(SelectorNode operand, LiteralNode[] members, bool negated)
    : SelectorNode(PropertyKind.Boolean, operand.Depth + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        PropertyValue value = operand.Evaluate(ref evaluation);
        if (value.Kind == PropertyKind.Null)
        {
            return PropertyValue.Null;
        }

        foreach (LiteralNode member in members)
        {
            if (ComparisonNode.Compare(TokenKind.Equal, value, member.Value, ref evaluation).Boolean)
            {
                return Unless(negated, true);
            }
        }

        return Unless(negated, false);
    }
}

/// <summary>x LIKE pattern: unknown when x is null, false when it is no string.</summary>
internal sealed class LikeNode(SelectorNode operand, LikePattern pattern, bool negated)
    : SelectorNode(PropertyKind.Boolean, operand.Depth + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        PropertyValue value = operand.Evaluate(ref evaluation);
        return value.Kind switch
        {
            PropertyKind.Null => PropertyValue.Null,
            PropertyKind.String => Unless(negated, pattern.Matches(value.Utf8, ref evaluation)),
            _ => PropertyValue.From(false),
        };
    }
}
