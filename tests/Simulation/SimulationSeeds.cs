using System.Globalization;
using Pillarbox.Model;

namespace Pillarbox.Simulation.Tests;

/// <summary>
/// PILLARBOX_SIM_SEED=N (./do.cs sim --seed N) replays one seed; PILLARBOX_SIM_SEEDS=N runs that many, new ones or from
/// that one on.
/// </summary>
internal static class SimulationSeeds
{
    /// <summary>The first seed, and how many.</summary>
    /// <param name="perRun">How many when nobody says.</param>
    public static (ulong First, int Count) Read(int perRun)
    {
        string? wanted = Environment.GetEnvironmentVariable("PILLARBOX_SIM_SEEDS");
        int? count = int.TryParse(wanted, CultureInfo.InvariantCulture, out int given) ? given : null;
        return ulong.TryParse(Environment.GetEnvironmentVariable("PILLARBOX_SIM_SEED"), out ulong first)
            ? (first, count ?? 1)
            : ((ulong)SystemRandom.Instance.Next(int.MaxValue) << 16, count ?? perRun);
    }
}
