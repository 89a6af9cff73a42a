using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>A new seed each run, named in every failure; PILLARBOX_SEED replays one.</summary>
internal static class Seeds
{
    public static SeededRandom New(out string seed)
    {
        ulong number = ulong.TryParse(Environment.GetEnvironmentVariable("PILLARBOX_SEED"), out ulong given)
            ? given
            : (ulong)SystemRandom.Instance.Next(int.MaxValue);
        seed = $"(PILLARBOX_SEED={number})";
        return new SeededRandom(number);
    }
}
