using System.Diagnostics;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>Networks of whole nodes under faults, from seeds as <see cref="SimulationSeeds"/> says.</summary>
public sealed class RoutedSimulationTests
{
    private const int SeedsPerRun = 200;
    private const int Turns = 1;
    private const int Steps = 120;

    [Fact]
    public void Outcomes_are_the_receivers_own_and_nothing_is_lost_or_left_behind()
    {
        (ulong first, int count) = SimulationSeeds.Read(SeedsPerRun);
        long started = Stopwatch.GetTimestamp();
        var failed = new List<string>();
        (long messages, long arrived, long faults) = (0, 0, 0);
        for (int i = 0; i < count && failed.Count < 5; i++)
        {
            ulong seed = first + (ulong)i;
            try
            {
                using var simulation = new RoutedSimulation(seed);
                simulation.Run(Turns, Steps);
                messages += simulation.Ledger.Count;
                arrived += simulation.Ledger.Arrived;
                faults += simulation.Faults;
            }
            catch (Exception e)
            {
                failed.Add($"./do.cs sim --seed {seed}\n{(e is Violation ? e.Message : e)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} seeds from {first}: {messages} messages, {arrived} arrivals, {faults} faults, "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {failed.Count} failed");
        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
        Assert.True(arrived > 0, "nothing happened");
    }

    /// <summary>The simulation would find it if the nodes did not keep what they promise.</summary>
    [Theory]
    [InlineData(nameof(RoutedBreach.Loss), "nobody said Accepted")]
    [InlineData(nameof(RoutedBreach.Repetition), "comes once more")]
    [InlineData(nameof(RoutedBreach.Outcome), "nobody said Accepted")]
    [InlineData(nameof(RoutedBreach.Order), "of the same sender")]
    public void A_broken_promise_is_found_out(string breach, string found)
    {
        const int SeedsMax = 20;
        List<string> others = [];
        for (ulong seed = 1; seed <= SeedsMax; seed++)
        {
            using var simulation = new RoutedSimulation(seed, Enum.Parse<RoutedBreach>(breach));
            try
            {
                simulation.Run(Turns, Steps);
            }
            catch (Violation violation)
            {
                if (violation.Message.Contains(found, StringComparison.Ordinal))
                {
                    return;
                }

                others.Add(violation.Message);
            }
        }

        Assert.Fail($"'{found}' was not found in {SeedsMax} seeds:\n{string.Join('\n', others)}");
    }
}
