using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>
/// The links of a connection by their names, which hold over sessions and over the connections of a container (part 2
/// section 2.6.1), and what they remember over attaches. Used by the connection's loop alone.
/// </summary>
internal sealed class LinkNames(AmqpEnvironment environment, ILinkOwner owner)
{
    private readonly Dictionary<(string Name, Role PeerRole), Link> _links = [];

    // An empty container id names nobody: its links are the connection's own. So are those of other nodes.
    private ContainerKey? _container;

    /// <summary>The peer has said who it is. False: it is to be the only one of its name, or another is, and so it is
    /// not let in.</summary>
    public bool TryEnter(in ContainerKey container, bool isSole)
    {
        bool isIn = environment.Containers.TryEnter(container, isSole);
        _container = isIn ? container : null;
        return isIn;
    }

    /// <summary>The connection is over.</summary>
    public void Leave()
    {
        if (_container is { } container)
        {
            environment.Containers.Leave(container);
        }
    }

    /// <summary>
    /// A link that is attached again, with the same name and direction, is taken from its old place: in this connection
    /// at once; from another connection by asking it. Null: go on with the attach; else when that has given it up.
    /// </summary>
    public Task? Take(Attach attach)
    {
        if (_links.TryGetValue((attach.Name, attach.Role), out Link? old))
        {
            Steal(old);
        }

        if (_container is not { } container)
        {
            return null;
        }

        var key = new LinkKey(container, attach.Name, attach.Role);
        Task? given = environment.Containers.Take(key, owner)?.GiveUpAsync(key);
        return given is { IsCompleted: false } ? given : null;
    }

    /// <summary>Another connection attached this link: it is detached here.</summary>
    public void GiveUp(LinkKey link)
    {
        if (_links.TryGetValue((link.Name, link.PeerRole), out Link? old))
        {
            Steal(old);
        }
    }

    /// <summary>
    /// What a sending peer's link remembers over attaches: when the peer wants that (it names its unsettled deliveries,
    /// or its target shall keep them) and has a name; else null.
    /// </summary>
    public RememberedDeliveries? Remember(Attach attach)
    {
        bool isWanted = attach.Unsettled is not null
            || attach.Target is Target { Durable: TerminusDurability.UnsettledState };
        return isWanted && _container is { } container
            ? environment.Suspended.Open(new LinkKey(container, attach.Name, attach.Role), environment.SteadyMs)
            : null;
    }

    /// <summary>The link that remembered has ended.</summary>
    public void Suspend(Link link, RememberedDeliveries memory, LinkEnd end) => environment.Suspended.Release(
        new LinkKey(_container!.Value, link.Name, link.PeerRole), memory, end == LinkEnd.Closed, environment.SteadyMs);

    /// <summary>The link is attached, unless it was refused.</summary>
    public void OnAttached(Link link)
    {
        if (link.State == LinkState.Attached)
        {
            _links[(link.Name, link.PeerRole)] = link;
        }
    }

    /// <summary>The link is over here.</summary>
    public void OnReleased(Link link)
    {
        if (_links.TryGetValue((link.Name, link.PeerRole), out Link? known) && known == link)
        {
            _links.Remove((link.Name, link.PeerRole));
            if (_container is { } container)
            {
                environment.Containers.Release(new LinkKey(container, link.Name, link.PeerRole), owner);
            }
        }
    }

    /// <summary>Links of a direction.</summary>
    public int CountOf(Role peerRole) => _links.Values.Count(link => link.PeerRole == peerRole);

    private static void Steal(Link old) => old.Session.Detach(
        old,
        new AmqpError
        {
            Condition = AmqpErrorCondition.LinkStolen,
            Description = "the link was attached again elsewhere",
        },
        LinkEnd.Detached);
}
