using System.Diagnostics;

namespace Pillarbox.Simulation.Tests;

public sealed class SimulationTests
{
    private const int Steps = 1500;
    private const int SeedsPerRun = 600;

    /// <summary>Seeds as <see cref="SimulationSeeds"/> says.</summary>
    [Fact]
    public void Nothing_acknowledged_is_lost_whatever_fails()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        try
        {
            (ulong first, int count) = SimulationSeeds.Read(SeedsPerRun);
            Run(first, count);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private static void Run(ulong first, int count)
    {
        long started = Stopwatch.GetTimestamp();
        var failed = new List<string>();
        (long messages, long deliveries, long faults) = (0, 0, 0);
        for (int i = 0; i < count && failed.Count < 5; i++)
        {
            ulong seed = first + (ulong)i;
            try
            {
                using var simulation = new Simulation(seed);
                simulation.Run(Steps);
                messages += simulation.Messages;
                deliveries += simulation.Deliveries;
                faults += simulation.Faults;
            }
            catch (Exception e)
            {
                string replay = $"./do.cs sim --seed {seed}";
                failed.Add($"{replay}\n{(e is Violation ? e.Message : e)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} seeds from {first}: {messages} messages, {deliveries} deliveries, {faults} faults, "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {failed.Count} failed");
        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
        Assert.True(deliveries > 0 || count < 10, "nothing happened");
    }
}
