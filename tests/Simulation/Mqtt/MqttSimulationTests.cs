using System.Diagnostics;

namespace Pillarbox.Simulation.Tests.Mqtt;

public sealed class MqttSimulationTests
{
    private const int Steps = 1500;
    private const int SeedsPerRun = 150;

    /// <summary>Seeds as <see cref="SimulationSeeds"/> says.</summary>
    [Fact]
    public void Qos_1_comes_at_least_once_and_qos_2_exactly_once_whatever_fails()
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
        (long messages, long faults) = (0, 0);
        for (int i = 0; i < count && failed.Count < 5; i++)
        {
            ulong seed = first + (ulong)i;
            try
            {
                using var simulation = new MqttSimulation(seed);
                simulation.Run(Steps);
                messages += simulation.Messages;
                faults += simulation.Faults;
            }
            catch (Exception e)
            {
                failed.Add($"PILLARBOX_SIM_SEED={seed}\n{(e is Violation ? e.Message : e)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} seeds from {first}: {messages} messages, {faults} faults, "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s, {failed.Count} failed");
        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
        Assert.True(messages > 0 || count < 10, "nothing happened");
    }
}
