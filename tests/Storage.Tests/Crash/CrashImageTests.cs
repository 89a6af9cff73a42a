using System.Globalization;

namespace Pillarbox.Storage.Tests.Crash;

public sealed class CrashImageTests(ITestOutputHelper output)
{
    /// <summary>Five traces with crashes and recoveries in between; a sum of 2,000 operations and more than 20,000
    /// images.
    /// PILLARBOX_SEED chooses other traces.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void EveryCrashImageKeepsWhatWasDurable(int number)
    {
        ulong seed = SeedOf(number);
        output.WriteLine($"seed {seed}");
        var trace = new CrashTrace(seed, imagesPerSync: 25);
        trace.Run(generations: 8, operationsEach: 50);
        output.WriteLine($"{trace.Operations} operations, {trace.Images} images, {trace.TornImages} with a torn tail, "
            + $"{trace.Recoveries} crashes in recovery");
        Assert.True(trace.Images > 4_000);
        Assert.True(trace.TornImages > 100);
        Assert.True(trace.Recoveries > 10);
    }

    private static ulong SeedOf(int number) =>
        ulong.TryParse(
            Environment.GetEnvironmentVariable("PILLARBOX_SEED"), CultureInfo.InvariantCulture, out ulong seed)
            ? seed + (ulong)number
            : (ulong)number;
}
