using Pillarbox.Model;
using Xunit;

namespace Pillarbox.Hosting.Tests;

/// <summary>The system's randomness, whatever it comes from.</summary>
public sealed class SystemRandomTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    public void Numbers_are_below_their_bound(int bound)
    {
        for (int i = 0; i < 1000; i++)
        {
            Assert.InRange(SystemRandom.Instance.Next(bound), 0, bound - 1);
        }
    }

    [Fact]
    public void Every_number_comes()
    {
        int[] counts = new int[7];
        for (int i = 0; i < 7000; i++)
        {
            counts[SystemRandom.Instance.Next(counts.Length)]++;
        }

        // Each is a thousand on average; that one is below 700 does not happen in the age of the world.
        Assert.All(counts, count => Assert.InRange(count, 700, 1300));
    }

    [Fact]
    public void Fractions_are_below_one_and_bytes_differ()
    {
        double[] fractions = [.. Enumerable.Range(0, 1000).Select(_ => SystemRandom.Instance.NextDouble())];
        Assert.All(fractions, fraction => Assert.True(fraction is >= 0 and < 1));
        Assert.Equal(fractions.Length, fractions.Distinct().Count());
        byte[] large = new byte[100_000];
        SystemRandom.Instance.Fill(large);
        Assert.Equal(256, large.Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => SystemRandom.Instance.Next(0));
    }
}
