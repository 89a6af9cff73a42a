using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>Exact and approximate numbers together, as in Java: exact with exact stays exact, else both become
/// approximate.</summary>
internal static class Numbers
{
    public static bool IsNumber(scoped in PropertyValue value) =>
        value.Kind is PropertyKind.Long or PropertyKind.Double;

    public static double ToDouble(scoped in PropertyValue value) =>
        value.Kind == PropertyKind.Long ? value.Bits : value.Double;
}

/// <summary>
/// + - * / of two numbers (untyped text is one if it reads so); null when one is null or no number, and for a whole
/// number divided by zero. A result that does not fit into 64 bits becomes approximate.
/// </summary>
internal sealed class ArithmeticNode(TokenKind operation, SelectorNode left, SelectorNode right)
    : SelectorNode(KindOf(left, right), Math.Max(left.Depth, right.Depth) + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        PropertyValue first = left.Evaluate(ref evaluation);
        PropertyValue second = right.Evaluate(ref evaluation);
        if (!UntypedText.IsNumber(first, out PropertyValue a) || !UntypedText.IsNumber(second, out PropertyValue b))
        {
            return PropertyValue.Null;
        }

        return a.Kind == PropertyKind.Long && b.Kind == PropertyKind.Long
            ? Exact(a.Bits, b.Bits)
            : PropertyValue.From(Approximate(Numbers.ToDouble(a), Numbers.ToDouble(b)));
    }

    /// <summary>A number in any case; exact only when both are known to be.</summary>
    private static PropertyKind KindOf(SelectorNode left, SelectorNode right) =>
        left.Kind == PropertyKind.Long && right.Kind == PropertyKind.Long ? PropertyKind.Long : PropertyKind.Double;

    private PropertyValue Exact(long a, long b)
    {
        if (operation == TokenKind.Divide && b == 0)
        {
            return PropertyValue.Null;
        }

        Int128 result = operation switch
        {
            TokenKind.Plus => (Int128)a + b,
            TokenKind.Minus => (Int128)a - b,
            TokenKind.Times => (Int128)a * b,
            _ => (Int128)a / b,
        };
        return result >= long.MinValue && result <= long.MaxValue
            ? PropertyValue.From((long)result)
            : PropertyValue.From((double)result);
    }

    private double Approximate(double a, double b) => operation switch
    {
        TokenKind.Plus => a + b,
        TokenKind.Minus => a - b,
        TokenKind.Times => a * b,
        _ => a / b,
    };
}

/// <summary>Unary minus.</summary>
internal sealed class NegationNode(SelectorNode operand)
    : SelectorNode(operand.Kind ?? PropertyKind.Double, operand.Depth + 1)
{
    public override PropertyValue Evaluate(scoped ref Evaluation evaluation)
    {
        _ = UntypedText.IsNumber(operand.Evaluate(ref evaluation), out PropertyValue value);
        return value.Kind switch
        {
            PropertyKind.Long when value.Bits != long.MinValue => PropertyValue.From(-value.Bits),
            PropertyKind.Long => PropertyValue.From(-(double)value.Bits),
            PropertyKind.Double => PropertyValue.From(-value.Double),
            _ => PropertyValue.Null,
        };
    }
}
