using System.Collections.Concurrent;
using Pillarbox.Protocols.Amqp.Links;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// What links that can be resumed remember, over connections, until they are closed or have been away for too long
/// (part 2 section 2.6.13). In memory: a restart forgets it. Any thread.
/// </summary>
internal sealed class SuspendedLinks(AmqpOptions options)
{
    private readonly ConcurrentDictionary<LinkKey, RememberedDeliveries> _links = new();

    /// <summary>Links that are known, attached or not.</summary>
    public int Count => _links.Count;

    /// <summary>
    /// The memory of a link that attaches; null when too many others are attached. The link must be attached nowhere
    /// else.
    /// </summary>
    public RememberedDeliveries? Open(LinkKey link, long steadyMs)
    {
        DropExpired(steadyMs);
        if (!_links.TryGetValue(link, out RememberedDeliveries? memory))
        {
            if (_links.Count >= options.SuspendedLinksMax && !DropOldest())
            {
                return null;
            }

            memory = _links.GetOrAdd(link, _ => new RememberedDeliveries(options.RememberedDeliveriesMax));
        }

        memory.EndedAtMs = 0;
        return memory;
    }

    /// <summary>The link has been detached; closed, it is gone for good.</summary>
    public void Release(LinkKey link, RememberedDeliveries memory, bool closed, long steadyMs)
    {
        memory.EndedAtMs = Math.Max(1, steadyMs);
        if (closed)
        {
            _links.TryRemove(KeyValuePair.Create(link, memory));
        }
    }

    private void DropExpired(long steadyMs)
    {
        foreach (KeyValuePair<LinkKey, RememberedDeliveries> entry in _links)
        {
            long ended = entry.Value.EndedAtMs;
            if (ended != 0 && steadyMs - ended >= options.SuspendedLinkTimeoutMs)
            {
                _links.TryRemove(entry);
            }
        }
    }

    private bool DropOldest()
    {
        KeyValuePair<LinkKey, RememberedDeliveries> oldest = _links
            .Where(entry => entry.Value.EndedAtMs != 0)
            .OrderBy(entry => entry.Value.EndedAtMs)
            .FirstOrDefault();
        return oldest.Value is not null && _links.TryRemove(oldest);
    }
}
