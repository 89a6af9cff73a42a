using System.Collections.Concurrent;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

/// <summary>
/// Routed links of a node whose container has not answered yet. While routers learn of each other they may send an
/// attach in a circle: one that comes back from another router while it is still under way goes no further. Any
/// thread.
/// </summary>
internal sealed class LinksUnderWay
{
    private readonly ConcurrentDictionary<(string Name, Role Role), int> _links = new();

    /// <summary>A link goes on; false, and nothing is noted: one of this name is under way, and it comes from a
    /// router.</summary>
    public bool TryEnter(string name, Role role, bool isFromRouter)
    {
        if (isFromRouter)
        {
            return _links.TryAdd((name, role), 1);
        }

        _links.AddOrUpdate((name, role), 1, static (_, count) => count + 1);
        return true;
    }

    /// <summary>It is answered, or has ended.</summary>
    public void Leave(string name, Role role)
    {
        while (_links.TryGetValue((name, role), out int count))
        {
            bool done = count == 1
                ? _links.TryRemove(KeyValuePair.Create((name, role), count))
                : _links.TryUpdate((name, role), count - 1, count);
            if (done)
            {
                return;
            }
        }
    }
}
