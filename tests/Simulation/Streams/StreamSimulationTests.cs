using System.Diagnostics;

namespace Pillarbox.Simulation.Tests.Streams;

public sealed class StreamSimulationTests
{
    private const int Steps = 4000;
    private const int SeedsPerRun = 15;

    /// <summary>Seeds as <see cref="SimulationSeeds"/> says.</summary>
    [Fact]
    public void A_history_of_streams_has_no_anomaly_whatever_fails()
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

    /// <summary>The simulation would find it if the node did not keep what it promises.</summary>
    [Theory]
    [InlineData(nameof(BrokenPromise.Durability), "LostWrite")]
    [InlineData(nameof(BrokenPromise.Idempotence), "Duplicate")]
    [InlineData(nameof(BrokenPromise.Abortion), "AbortedRead")]
    [InlineData(nameof(BrokenPromise.Isolation), "PrecommittedRead")]
    public void A_broken_promise_is_found_out(string promise, string anomaly)
    {
        const int SeedsMax = 20;
        SynchronizationContext? before = SynchronizationContext.Current;
        try
        {
            List<string> found = [];
            for (ulong seed = 1; seed <= SeedsMax; seed++)
            {
                using var simulation = new StreamSimulation(seed, Enum.Parse<BrokenPromise>(promise));
                try
                {
                    simulation.Run(Steps);
                }
                catch (Violation violation)
                {
                    found.Add(violation.Message);
                    if (violation.Message.Contains($"\n{anomaly}: ", StringComparison.Ordinal))
                    {
                        return;
                    }
                }
            }

            Assert.Fail($"{anomaly} was not found in {SeedsMax} seeds:\n{string.Join('\n', found)}");
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
        (long records, long transactions, long polled, long faults) = (0, 0, 0, 0);
        for (int i = 0; i < count && failed.Count < 5; i++)
        {
            ulong seed = first + (ulong)i;
            try
            {
                using var simulation = new StreamSimulation(seed);
                simulation.Run(Steps);
                records += simulation.Records;
                transactions += simulation.Transactions;
                polled += simulation.Polled;
                faults += simulation.Faults;
            }
            catch (Exception e)
            {
                failed.Add($"./do.cs sim --seed {seed}\n{(e is Violation ? e.Message : e)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} seeds from {first}: {records} records, {transactions} transactions, {polled} polled, "
            + $"{faults} faults, {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {failed.Count} failed");
        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
        Assert.True((records > 0 && transactions > 0 && polled > records) || count < 10, "nothing happened");
    }
}
