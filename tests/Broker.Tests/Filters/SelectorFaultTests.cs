using Pillarbox.Broker.Filters;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Filters;

public sealed class SelectorFaultTests
{
    [Theory]
    [InlineData("a =", 4, "the text ends here")]
    [InlineData("", 1, "an identifier, a constant or (")]
    [InlineData("a = 5 b", 7, "here is b")]
    [InlineData("(a = 5", 7, "expected )")]
    [InlineData("a = 5)", 6, "here is )")]
    [InlineData("a = 'x", 5, "no closing '")]
    [InlineData("\"a = 5", 1, "no closing \"")]
    [InlineData("\"\" = 5", 1, "empty")]
    [InlineData("a == 5", 4, "here is =")]
    [InlineData("a ! 5", 3, "'!'")]
    [InlineData("a = \u0001", 5, "U+0001")]
    [InlineData("a BETWEEN 1", 12, "expected AND")]
    [InlineData("a LIKE 5", 8, "a pattern in single quotes")]
    [InlineData("5 LIKE 'x'", 1, "LIKE needs a string")]
    [InlineData("a LIKE 'x' ESCAPE 'ab'", 19, "exactly one character")]
    [InlineData("a LIKE 'x!' ESCAPE '!'", 8, "ends in its escape")]
    [InlineData("a IN ()", 7, "a string or number")]
    [InlineData("a IN ('x' 'y')", 11, ", or )")]
    [InlineData("a IN (b)", 7, "a string or number")]
    [InlineData("a IS 5", 6, "expected NULL")]
    [InlineData("5 IS NULL", 1, "an identifier before it")]
    [InlineData("a NOT 5", 7, "BETWEEN, LIKE or IN")]
    [InlineData("'a' > 5", 1, "numbers only")]
    [InlineData("a < TRUE", 5, "numbers only")]
    [InlineData("a + 'x' = 1", 5, "numbers only")]
    [InlineData("-'x' = 1", 2, "numbers only")]
    [InlineData("5", 1, "a condition")]
    [InlineData("a + 1", 1, "a condition")]
    [InlineData("a = 1 AND 5", 11, "a condition")]
    [InlineData("NOT 'x'", 5, "a condition")]
    [InlineData("a = 9223372036854775808", 5, "64 bits")]
    [InlineData("a = 99999999999999999999999", 5, "64 bits")]
    [InlineData("a = 089", 5, "octal")]
    [InlineData("a = 0x", 5, "64 bits")]
    [InlineData("a = 5x", 6, "a number ends here")]
    [InlineData("a = 1e", 5, "exponent")]
    [InlineData("NULL = 1", 1, "here is NULL")]
    public void The_fault_is_placed_and_explained(string text, int position, string words)
    {
        BrokerException refusal = Assert.Throws<BrokerException>(() => Selector.Parse(text));
        Assert.Equal(BrokerError.InvalidField, refusal.Error);
        Assert.Contains($"at character {position}:", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_is_bounded()
    {
        Refused(new string('(', 100_000), "characters long");
        Refused(new string('(', 60_000), "nested");
        Refused(string.Concat(Enumerable.Repeat("NOT ", 100)) + "a", "nested");
        Refused(string.Concat(Enumerable.Repeat("- ", 100)) + "a = 1", "nested");
        Refused(string.Join(" + ", Enumerable.Repeat("a", 100)) + " = 1", "nested");
        Refused(string.Join(" OR ", Enumerable.Repeat("a", 2000)), "parts");
        Refused("a IN (" + string.Join(',', Enumerable.Repeat("1", 2000)) + ")", "parts");
        Refused(string.Join(" OR ", Enumerable.Range(0, 40).Select(i => "p" + i)), "different properties");
        Selector.Parse(string.Join(" OR ", Enumerable.Repeat("a = 1", 300)));
        Selector.Parse(new string('(', 60) + "a" + new string(')', 60));
        static void Refused(string text, string words) => Assert.Contains(
            words, Assert.Throws<BrokerException>(() => Selector.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_text_is_read_or_refused_and_never_anything_else()
    {
        string[] words =
        [
            "a", "b", "'x'", "5", "2.5", "TRUE", "NOT", "AND", "OR", "(", ")", "=", "<>", "<", "LIKE",
            "'%x_'", "ESCAPE", "'!'",
            "IN", ",", "IS", "NULL", "BETWEEN", "+", "-", "*", "/", "\"q\"", "'", "\"",
            "0x", "\U0001F600", "\uD800", "1e", ".", "\0",
        ];
        SeededRandom random = Seeds.New(out string seed);
        byte[] message = Properties.Of(("a", 5), ("b", "x"), ("q", true));
        int parsed = 0;
        for (int round = 0; round < 50_000; round++)
        {
            var chosen = Enumerable.Range(0, 1 + random.Next(8)).Select(_ => words[random.Next(words.Length)]);
            string text = string.Join(random.Next(4) == 0 ? "" : " ", chosen);
            try
            {
                Selector.Parse(text).Matches(new MessageHeader(), message, Properties.Reader);
                parsed++;
            }
            catch (BrokerException)
            {
                // The only exception that may come.
            }
            catch (Exception e)
            {
                Assert.Fail($"{text}: {e} {seed}");
            }
        }

        Assert.True(parsed > 100, seed);
    }
}
