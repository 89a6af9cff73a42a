using System.Collections.Concurrent;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// A container as a user of an address space names it; other users' containers of that name are others.
/// </summary>
internal readonly record struct ContainerKey(string AddressSpace, string User, string ContainerId);

/// <summary>A link's name, unique per container and direction (part 2 section 2.6.1).</summary>
internal readonly record struct LinkKey(ContainerKey Container, string Name, Role PeerRole);

/// <summary>Somebody who can be asked, from any thread, to give up a link.</summary>
internal interface ILinkOwner
{
    /// <summary>Detaches the link with link:stolen, if it is still attached; the task ends when that is done.</summary>
    Task GiveUpAsync(LinkKey link);
}

/// <summary>
/// Which connection has which container id and which link name, over all connections of the node: for link stealing and
/// for
/// sole-connection-for-container. Any thread.
/// </summary>
internal sealed class ContainerRegistry
{
    private readonly ConcurrentDictionary<ContainerKey, int> _connections = new();
    private readonly ConcurrentDictionary<LinkKey, ILinkOwner> _links = new();

    /// <summary>
    /// Counts a connection of the container; false, and nothing is counted, when it must be the only one and is not.
    /// </summary>
    public bool TryEnter(ContainerKey container, bool sole)
    {
        if (sole)
        {
            return _connections.TryAdd(container, 1);
        }

        _connections.AddOrUpdate(container, 1, static (_, count) => count + 1);
        return true;
    }

    /// <summary>The connection is over.</summary>
    public void Leave(ContainerKey container)
    {
        while (_connections.TryGetValue(container, out int count))
        {
            bool done = count == 1
                ? _connections.TryRemove(KeyValuePair.Create(container, count))
                : _connections.TryUpdate(container, count - 1, count);
            if (done)
            {
                return;
            }
        }
    }

    /// <summary>
    /// The link now belongs to <paramref name="owner"/>; gives who had it before, if that was another.
    /// </summary>
    public ILinkOwner? Take(LinkKey link, ILinkOwner owner)
    {
        while (true)
        {
            if (_links.TryAdd(link, owner))
            {
                return null;
            }

            if (_links.TryGetValue(link, out ILinkOwner? before) && _links.TryUpdate(link, owner, before))
            {
                return ReferenceEquals(before, owner) ? null : before;
            }
        }
    }

    /// <summary>The owner has detached the link; nothing happens when it was taken meanwhile.</summary>
    public void Release(LinkKey link, ILinkOwner owner) => _links.TryRemove(KeyValuePair.Create(link, owner));
}
