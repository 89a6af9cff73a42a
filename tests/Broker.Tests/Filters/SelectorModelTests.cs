using System.Text;
using System.Text.RegularExpressions;
using Pillarbox.Broker.Filters;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Filters;

/// <summary>Random selectors against a slow evaluator over objects that was written from the specification's
/// tables.</summary>
public sealed class SelectorModelTests
{
    private readonly Dictionary<string, object?> _message = [];
    private SeededRandom _random = new(0);

    [Fact]
    public void Random_selectors_agree_with_the_model()
    {
        _random = Seeds.New(out string seed);
        int matched = 0;
        for (int round = 0; round < 20_000; round++)
        {
            RandomMessage();
            (string text, bool? expected) = Condition(4);
            byte[] payload = Properties.Of([.. _message.Select(p => (p.Key, p.Value))]);
            bool actual = Selector.Parse(text).Matches(new MessageHeader(), payload, Properties.Reader);
            Assert.True(actual == (expected == true), $"{text} with {Show()} is {actual} {seed}");
            matched += actual ? 1 : 0;
        }

        Assert.InRange(matched, 2000, 18_000);
    }

    [Fact]
    public void Like_agrees_with_regular_expressions()
    {
        _random = Seeds.New(out string seed);
        for (int round = 0; round < 20_000; round++)
        {
            string pattern = Letters("ab\u00E9%_%_", 8);
            string text = Letters("ab\u00E9", 10);
            string regex = "^" + pattern.Replace("%", ".*", StringComparison.Ordinal).Replace('_', '.') + "$";
            bool expected = Regex.IsMatch(text, regex, RegexOptions.NonBacktracking | RegexOptions.Singleline);
            Selector selector = Selector.Parse($"x LIKE '{pattern}'");
            bool actual = selector.Matches(new MessageHeader(), Properties.Of(("x", text)), Properties.Reader);
            Assert.True(expected == actual, $"{text} LIKE {pattern} {seed}");
        }
    }

    private string Letters(string alphabet, int max)
    {
        var text = new StringBuilder();
        for (int i = _random.Next(max); i > 0; i--)
        {
            text.Append(alphabet[_random.Next(alphabet.Length)]);
        }

        return text.ToString();
    }

    private void RandomMessage()
    {
        _message.Clear();
        foreach (string name in new[] { "a", "b", "c" })
        {
            object?[] values = [null, true, false, (long)_random.Next(5), _random.Next(5) / 2.0, "x", "y", "xy"];
            _message[name] = values[_random.Next(values.Length)];
        }
    }

    private string Show() => string.Join(", ", _message.Select(p => $"{p.Key}={p.Value ?? "null"}"));

    private (string Text, bool? Truth) Condition(int depth)
    {
        switch (depth == 0 ? 3 + _random.Next(5) : _random.Next(8))
        {
            case 0:
                (string notText, bool? notTruth) = Condition(depth - 1);
                return ($"NOT ({notText})", !notTruth);
            case 1:
                return Junction(depth, "AND", static (x, y) => x & y);
            case 2:
                return Junction(depth, "OR", static (x, y) => x | y);
            case 3:
                string name = Name();
                bool isNot = _random.Next(2) == 0;
                return ($"{name} IS {(isNot ? "NOT " : "")}NULL", (_message[name] is null) != isNot);
            case 4:
                return Between();
            case 5:
                string member = Name();
                bool? isIn = _message[member] is { } value ? value is "x" or 1L or 1.0 : null;
                return _random.Next(2) == 0 ? ($"{member} IN ('x', 1)", isIn) : ($"{member} NOT IN ('x', 1)", !isIn);
            default:
                return Comparison();
        }
    }

    private (string Text, bool? Truth) Junction(int depth, string word, Func<bool?, bool?, bool?> combine)
    {
        (string leftText, bool? left) = Condition(depth - 1);
        (string rightText, bool? right) = Condition(depth - 1);
        return ($"({leftText}) {word} ({rightText})", combine(left, right));
    }

    private (string Text, bool? Truth) Between()
    {
        string name = Name();
        (string lowText, object? low) = Number(1);
        (string highText, object? high) = Number(1);
        bool? truth = Compare(">=", _message[name], low) & Compare("<=", _message[name], high);
        bool negated = _random.Next(2) == 0;
        return ($"{name} {(negated ? "NOT " : "")}BETWEEN {lowText} AND {highText}", negated ? !truth : truth);
    }

    private (string Text, bool? Truth) Comparison()
    {
        if (_random.Next(3) == 0)
        {
            string equality = _random.Next(2) == 0 ? "=" : "<>";
            string name = Name();
            object constant = new object[] { "x", true, "xy" }[_random.Next(3)];
            string written = constant is string s ? $"'{s}'" : "TRUE";
            return ($"{name} {equality} {written}", Compare(equality, _message[name], constant));
        }

        string comparison = new[] { "=", "<>", "<", "<=", ">", ">=" }[_random.Next(6)];
        (string leftText, object? left) = Number(2);
        (string rightText, object? right) = Number(2);
        return ($"{leftText} {comparison} {rightText}", Compare(comparison, left, right));
    }

    /// <summary>A numeric expression, or a property of any kind.</summary>
    private (string Text, object? Value) Number(int depth)
    {
        switch (depth == 0 ? _random.Next(3) : _random.Next(5))
        {
            case 0:
                string name = Name();
                return (name, _message[name]);
            case 1:
                long number = _random.Next(5);
                return (number.ToString(), number);
            case 2:
                double half = _random.Next(5) / 2.0;
                return (half.ToString("0.0"), half);
            case 3:
                (string operand, object? value) = Number(depth - 1);
                return ($"-({operand})", value switch { long l => -l, double d => -d, _ => null });
            default:
                return Arithmetic(depth);
        }
    }

    private (string Text, object? Value) Arithmetic(int depth)
    {
        (string leftText, object? left) = Number(depth - 1);
        (string rightText, object? right) = Number(depth - 1);
        char operation = "+-*/"[_random.Next(4)];
        string text = $"({leftText}) {operation} ({rightText})";
        if (left is long a && right is long b)
        {
            return (text, operation switch { '+' => a + b, '-' => a - b, '*' => a * b, _ => b == 0 ? null : a / b });
        }

        if (left is not (long or double) || right is not (long or double))
        {
            return (text, null);
        }

        double x = Convert.ToDouble(left);
        double y = Convert.ToDouble(right);
        return (text, operation switch { '+' => x + y, '-' => x - y, '*' => x * y, _ => x / y });
    }

    private static bool? Compare(string comparison, object? left, object? right)
    {
        if (left is null || right is null)
        {
            return null;
        }

        if (left is (long or double) && right is (long or double))
        {
            double a = Convert.ToDouble(left);
            double b = Convert.ToDouble(right);
            return comparison switch
            {
                "=" => a == b,
                "<>" => a != b,
                "<" => a < b,
                "<=" => a <= b,
                ">" => a > b,
                _ => a >= b,
            };
        }

        return left.GetType() == right.GetType() && comparison switch
        {
            "=" => left.Equals(right),
            "<>" => !left.Equals(right),
            _ => false,
        };
    }

    private string Name() => new[] { "a", "b", "c" }[_random.Next(3)];
}
