using System.Collections.Concurrent;
using Pillarbox.Broker;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// Durable subscriptions whose links are gone and whose expiry timer runs (part 3 section 3.5.6). Ends with the
/// process: after a restart
/// a subscription stays until it is used again. Any thread.
/// </summary>
internal sealed class TerminusExpiry(MessageBroker broker, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Space, string Queue), DateTimeOffset> _deadlines = new();

    /// <summary>Starts the timer of a subscription's queue.</summary>
    public void Schedule(string space, string queue, uint seconds) =>
        _deadlines[(space, queue)] = time.GetUtcNow().AddSeconds(seconds);

    /// <summary>The subscription is used again.</summary>
    public void Cancel(string space, string queue) => _deadlines.TryRemove((space, queue), out _);

    /// <summary>Deletes what is over.</summary>
    public void Tick()
    {
        if (_deadlines.IsEmpty)
        {
            return;
        }

        DateTimeOffset now = time.GetUtcNow();
        foreach (KeyValuePair<(string Space, string Queue), DateTimeOffset> entry in _deadlines)
        {
            if (entry.Value <= now && _deadlines.TryRemove(entry))
            {
                _ = DeleteAsync(entry.Key.Space, entry.Key.Queue);
            }
        }
    }

    private async Task DeleteAsync(string space, string queue)
    {
        try
        {
            await broker.Management.DeleteQueueAsync(Identity.Node, space, queue, ifUnused: true);
        }
        catch (BrokerException)
        {
            // Used again, or gone.
        }
    }
}
