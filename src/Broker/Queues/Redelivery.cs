using Pillarbox.Broker.Addresses;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>How long a message waits after a failed attempt.</summary>
internal static class Redelivery
{
    /// <summary>
    /// The wait after the n-th failed attempt, in milliseconds: delay x multiplier^(n-1), more or less a random share,
    /// capped.
    /// </summary>
    public static long DelayMs(EffectiveSettings rules, int attempts, IRandom random)
    {
        if (rules.RedeliveryDelayMs <= 0)
        {
            return 0;
        }

        double delay = rules.RedeliveryDelayMs * Math.Pow(rules.RedeliveryDelayMultiplier, Math.Max(0, attempts - 1));
        if (rules.RedeliveryCollisionAvoidance > 0)
        {
            delay += delay * rules.RedeliveryCollisionAvoidance * ((random.NextDouble() * 2) - 1);
        }

        return (long)Math.Clamp(delay, 0, rules.MaxRedeliveryDelayMs);
    }
}
