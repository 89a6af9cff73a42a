using Pillarbox.Broker;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>Consumers without prefetch that ask for a message, and how long they wait for it. Used by the connection's
/// loop alone; times are those of a steady clock, in milliseconds.</summary>
internal sealed class PullWaits(BrokerClient client, ConsumerTable consumers, DispatchTurns turns)
{
    /// <summary>When the next wait is over; the highest number: there is none.</summary>
    public long DeadlineMs { get; private set; } = long.MaxValue;

    /// <summary>A client asks for one message.</summary>
    /// <exception cref="OpenWireException">There is no such consumer; the command alone fails.</exception>
    public void Begin(MessagePull pull, long nowMs)
    {
        ConsumerEndpoint endpoint = consumers.Find(pull.ConsumerId)
            ?? throw new OpenWireException(ThrowableNames.IllegalState, $"there is no consumer {pull.ConsumerId}")
            {
                IsCommandOnly = true,
            };
        if (!endpoint.IsPulling)
        {
            return;
        }

        // Of one that waits still, as when its application was interrupted, only the time is another.
        endpoint.PullDeadlineMs = long.MaxValue;
        if (endpoint.Room == 0)
        {
            endpoint.GiveRoom(1);
            endpoint.Regulate(client);
        }

        if (pull.TimeoutMs < 0)
        {
            endpoint.DrainAll(client);
        }
        else if (pull.TimeoutMs > 0)
        {
            endpoint.PullDeadlineMs = nowMs + Math.Min(pull.TimeoutMs, int.MaxValue);
            DeadlineMs = Math.Min(DeadlineMs, endpoint.PullDeadlineMs);
        }

        turns.Enqueue(endpoint);
    }

    /// <summary>Some waits may be over.</summary>
    public void End(long nowMs)
    {
        DeadlineMs = long.MaxValue;
        foreach (ConsumerEndpoint endpoint in consumers.All)
        {
            if (endpoint.PullDeadlineMs <= nowMs)
            {
                endpoint.PullDeadlineMs = long.MaxValue;
                endpoint.DrainAll(client);
                turns.Enqueue(endpoint);
            }

            DeadlineMs = Math.Min(DeadlineMs, endpoint.PullDeadlineMs);
        }
    }
}
