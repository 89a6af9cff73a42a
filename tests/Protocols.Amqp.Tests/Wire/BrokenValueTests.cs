using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>Broken bytes end in a decode error, quickly, and never in anything else.</summary>
public sealed class BrokenValueTests
{
    [Theory]
    [InlineData("", "no format code")]
    [InlineData("3f", "a code that nobody defined")]
    [InlineData("5f 00", "a code that nobody defined, of a known width")]
    [InlineData("a2 00", "neither string, symbol nor binary")]
    [InlineData("70 000000", "a uint cut short")]
    [InlineData("a1 05 61", "a string longer than the bytes")]
    [InlineData("b1 7fffffff 61", "a string of two gigabytes")]
    [InlineData("b0 ffffffff", "a binary of four gigabytes")]
    [InlineData("a1 02 c328", "not UTF-8")]
    [InlineData("a3 01 80", "not ASCII")]
    [InlineData("56 02", "a boolean of two")]
    [InlineData("73 0000d800", "a surrogate")]
    [InlineData("73 00110000", "beyond Unicode")]
    [InlineData("c0 00", "a list without a count")]
    [InlineData("c0 02 02 41", "a list of fewer items than it says")]
    [InlineData("c0 04 01 41 41 41", "a list longer than its items")]
    [InlineData("c0 02 01 52 05", "an item that runs over the end of its list")]
    [InlineData("d0 00000003 000000", "a list32 without a count")]
    [InlineData("d0 ffffffff 00000001 41", "a list of four gigabytes")]
    [InlineData("d0 00000005 ffffffff 41", "four thousand million items in one byte")]
    [InlineData("c1 02 01 41", "a key without a value")]
    [InlineData("c1 05 04 41 42 41 42", "the same key twice")]
    [InlineData("e0 01 00", "an array without a constructor")]
    [InlineData("e0 03 02 50 01", "an array of fewer items than it says")]
    [InlineData("e0 05 01 50 01 02 03", "an array longer than its items")]
    [InlineData("f0 00000005 ffffffff 40", "four thousand million nulls")]
    [InlineData("f0 00000005 00000101 45", "257 empty lists in no bytes")]
    [InlineData("f0 00000006 00000002 a3 00", "an array of two symbols in one byte")]
    [InlineData("e0 02 00 3f", "an array of nobody's type")]
    [InlineData("00", "a described value without descriptor")]
    [InlineData("00 53 70", "a described value without value")]
    [InlineData("41 41", "a second value")]
    public void Is_a_decode_error(string hex, string because)
    {
        byte[] bytes = Bytes.FromHex(hex);
        AmqpException error = Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded(bytes));
        Assert.True(error.Condition == AmqpErrorCondition.DecodeError, because);
        Assert.Equal(AmqpSeverity.Connection, error.Severity);
    }

    [Theory]
    [InlineData("c0 {0:x2} 01", 3)]
    [InlineData("00 53 01", 3)]
    [InlineData("00", 1)]
    public void Nesting_is_bounded(string level, int levelBytes)
    {
        Assert.Equal(AmqpType.List, AmqpValue.FromEncoded(Nested("c0 {0:x2} 01", 3, WireLimits.DepthMax)).Type);
        foreach (int depth in new[] { WireLimits.DepthMax + 1, 80 })
        {
            byte[] bytes = Nested(level, levelBytes, depth);
            AmqpException error = Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded(bytes));
            Assert.Contains("nested", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_hundred_thousand_descriptors_do_not_eat_the_stack()
    {
        byte[] bytes = new byte[100_000];
        Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded(bytes));
        Assert.Throws<AmqpException>(() =>
        {
            AmqpReader reader = new(bytes);
            reader.Skip();
        });
        byte[] arrays = [.. Enumerable.Repeat<byte[]>([0xf0, 0, 1, 0, 0, 0, 0, 0, 1], 1000).SelectMany(a => a)];
        Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded([.. arrays, .. new byte[70_000]]));
    }

    [Fact]
    public void Every_beginning_of_a_value_is_refused_and_never_skipped() => Bytes.ForSeeds(300, static (_, grammar) =>
    {
        byte[] bytes = grammar.Value().ToEncoded();
        for (int length = 0; length < bytes.Length; length++)
        {
            byte[] cut = bytes[..length];
            Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded(cut));
            AmqpReader reader = new(cut);
            Assert.False(reader.TrySkip());
            Assert.Equal(0, reader.Position);
        }
    });

    [Fact]
    public void Random_and_mutated_bytes_give_a_value_or_the_exception() =>
        Bytes.ForSeeds(20_000, static (random, grammar) =>
    {
        byte[] bytes = random.Next(4) == 0 ? grammar.Bytes(random.Next(64))
            : grammar.Mutate(grammar.Value().ToEncoded());
        AmqpValue value;
        try
        {
            value = AmqpValue.FromEncoded(bytes);
        }
        catch (AmqpException)
        {
            return;
        }
        Assert.Equal(value, AmqpValue.FromEncoded(value.ToEncoded()));
    });

    [Fact]
    public void Lying_lengths_allocate_no_more_than_is_there()
    {
        string[] lies =
        [
            "d0 7fffffff 7fffffff 41", "d1 7fffffff 7ffffffe 41", "f0 7fffffff 7fffffff 50", "b1 7fffffff",
            "b0 7fffffff",
            "f0 00000005 7fffffff 40", "d0 00000005 7fffffff 41",
        ];
        foreach (string lie in lies)
        {
            byte[] bytes = Bytes.FromHex(lie);
            Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded(bytes));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<AmqpException>(() => AmqpValue.FromEncoded(bytes));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000);
        }
    }

    private static byte[] Nested(string level, int levelBytes, int depth)
    {
        List<byte> bytes = [0x41];
        for (int i = 0; i < depth; i++)
        {
            string filled = string.Format(System.Globalization.CultureInfo.InvariantCulture, level,
                (byte)(bytes.Count + 1));
            byte[] head = Bytes.FromHex(filled);
            Assert.Equal(levelBytes, head.Length);
            bytes.InsertRange(0, head);
        }
        return [.. bytes];
    }
}
