using System.Text;
using Pillarbox.Broker.Filters;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Filters;

/// <summary>Selectors over protocols whose properties are text, and ActiveMQ's prefixes of selectors.</summary>
public sealed class UntypedTextTests
{
    private static readonly Dictionary<string, string> Message = new()
    {
        ["price"] = "12", ["rate"] = "0.5", ["flag"] = "TRUE", ["color"] = "red", ["minus"] = "-3", ["x-y"] = "7",
        ["empty"] = "", ["nan"] = "NaN", ["spaced"] = " 12", ["long"] = new string('1', 65),
    };

    [Theory]
    [InlineData("price > 10")]
    [InlineData("price = 12 AND price = 12.0 AND price <> 13")]
    [InlineData("price = '12'")]
    [InlineData("10 < price AND price < 13")]
    [InlineData("price BETWEEN 12 AND 13")]
    [InlineData("price IN (11, 12) AND price IN ('12')")]
    [InlineData("price + 1 = 13 AND -minus = 3 AND price * rate = 6")]
    [InlineData("minus < rate AND rate < price AND price > rate")]
    [InlineData("flag = TRUE AND flag <> FALSE")]
    [InlineData("color = 'red' AND color LIKE 'r%' AND price LIKE '1_'")]
    [InlineData("hyphenated_props:x-y = 7")]
    [InlineData("no_convert_string_expressions:price > 10")]
    public void Text_without_a_type_counts_as_what_it_stands_beside(string selector) =>
        Assert.True(Matches(selector, isUntyped: true), selector);

    [Theory]
    [InlineData("price < 10")]
    [InlineData("color > 10")]
    [InlineData("color = 5")]
    [InlineData("color <> 5")]
    [InlineData("color = TRUE")]
    [InlineData("color < price")]
    [InlineData("empty = 0")]
    [InlineData("nan <> 1")]
    [InlineData("spaced = 12")]
    [InlineData("long > 1")]
    [InlineData("color + 1 = 2")]
    [InlineData("none > 1")]
    [InlineData("flag = 1")]
    public void What_does_not_read_as_a_number_is_none(string selector) =>
        Assert.False(Matches(selector, isUntyped: true), selector);

    [Theory]
    [InlineData("price > 10", false)]
    [InlineData("convert_string_expressions:price > 10", true)]
    [InlineData("hyphenated_props:convert_string_expressions:x-y > 6 AND price = 12", true)]
    [InlineData("convert_string_expressions:no_convert_string_expressions:price > 10", false)]
    [InlineData("x-y = 7", false)]
    [InlineData("hyphenated_props:x-y = '7'", true)]
    public void Strings_are_converted_when_the_selector_says_so(string selector, bool selects) =>
        Assert.Equal(selects, Matches(selector, isUntyped: false));

    [Fact]
    public void A_property_that_is_named_twice_stays_untyped()
    {
        Assert.True(Matches("price > 10 AND price < 13 AND price = '12'", isUntyped: true));
        Assert.True(Matches("convert_string_expressions:price > 10 AND price < 13", isUntyped: false));
    }

    [Fact]
    public void Converting_allocates_nothing()
    {
        Selector selector = Selector.Parse("price > 10 AND rate * 2 = 1 AND flag = TRUE AND price < 13");
        byte[] payload = Payload();
        var reader = new Texts(isUntyped: true);
        var header = new MessageHeader();
        bool all = true;
        long least = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            // Compiling may allocate in one round; what a match allocates, it allocates in each.
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                all &= selector.Matches(header, payload, reader);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.True(all);
    }

    private static bool Matches(string selector, bool isUntyped) =>
        Selector.Parse(selector).Matches(new MessageHeader(), Payload(), new Texts(isUntyped));

    private static byte[] Payload() =>
        Encoding.UTF8.GetBytes(string.Concat(Message.Select(pair => $"{pair.Key}\t{pair.Value}\n")));

    /// <summary>Lines of name, tab and value.</summary>
    private sealed class Texts(bool isUntyped) : IPropertyReader
    {
        public PayloadFormat Format => PayloadFormat.Stomp;

        public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name)
        {
            foreach (Range range in payload.Split((byte)'\n'))
            {
                ReadOnlySpan<byte> line = payload[range];
                int tab = line.IndexOf((byte)'\t');
                if (tab >= 0 && Ascii.Equals(line[..tab], name))
                {
                    ReadOnlySpan<byte> value = line[(tab + 1)..];
                    return isUntyped ? PropertyValue.Untyped(value) : PropertyValue.From(value);
                }
            }

            return PropertyValue.Null;
        }
    }
}
