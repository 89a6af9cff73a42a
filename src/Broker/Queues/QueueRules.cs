using Pillarbox.Broker.Addresses;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>The address settings that a queue obeys, with the defaults filled in. Immutable.</summary>
internal sealed record QueueRules
{
    public int MaxDeliveryAttempts { get; init; } = 10;

    public long RedeliveryDelayMs { get; init; }

    public double RedeliveryDelayMultiplier { get; init; } = 1.0;

    public long MaxRedeliveryDelayMs { get; init; }

    public double RedeliveryCollisionAvoidance { get; init; }

    public string DeadLetterAddress { get; init; } = "DLQ";

    public string ExpiryAddress { get; init; } = "ExpiryQueue";

    public static QueueRules From(AddressSettings settings)
    {
        QueueRules plain = new();
        long delay = settings.RedeliveryDelayMs ?? 0;
        return new QueueRules
        {
            MaxDeliveryAttempts = settings.MaxDeliveryAttempts ?? plain.MaxDeliveryAttempts,
            RedeliveryDelayMs = delay,
            RedeliveryDelayMultiplier = settings.RedeliveryDelayMultiplier ?? plain.RedeliveryDelayMultiplier,
            MaxRedeliveryDelayMs = settings.MaxRedeliveryDelayMs ?? delay * 10,
            RedeliveryCollisionAvoidance = settings.RedeliveryCollisionAvoidance ?? 0,
            DeadLetterAddress = settings.DeadLetterAddress ?? plain.DeadLetterAddress,
            ExpiryAddress = settings.ExpiryAddress ?? plain.ExpiryAddress,
        };
    }

    /// <summary>How long a message waits after its n-th failed attempt, in milliseconds.</summary>
    public long DelayAfter(int attempts, IRandom random)
    {
        if (RedeliveryDelayMs <= 0)
        {
            return 0;
        }

        double delay = RedeliveryDelayMs * Math.Pow(RedeliveryDelayMultiplier, Math.Max(0, attempts - 1));
        if (RedeliveryCollisionAvoidance > 0)
        {
            delay += delay * RedeliveryCollisionAvoidance * ((random.NextDouble() * 2) - 1);
        }

        return (long)Math.Clamp(delay, 0, MaxRedeliveryDelayMs);
    }
}
