using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

namespace Pillarbox.Protocols.Amqp.Routed.Containers;

/// <summary>
/// A connection on which the node begins links because others want them: to a broker or another container, or to
/// another router on the way there. Any thread, unless said otherwise.
/// </summary>
public abstract class LinkCarrier
{
    private protected LinkCarrier()
    {
    }

    /// <summary>What the peer calls itself in its open.</summary>
    public abstract string ContainerId { get; }

    /// <summary>The name of the listener or connector that it belongs to.</summary>
    public abstract string Name { get; }

    /// <summary>A link of the node's own is wanted; its watch hears what becomes of it.</summary>
    public abstract void Begin(AutoLinkRun run);

    /// <summary>It is wanted no longer.</summary>
    public abstract void End(AutoLinkRun run);

    /// <summary>Whether the connection is one to a container, and not a client's or a router's.</summary>
    public abstract bool IsContainer { get; }

    /// <summary>Whether the connection is over.</summary>
    public bool IsOver => Inbox.IsClosed;

    internal abstract RoutedInbox Inbox { get; }

    /// <summary>Begins the second half of a routed link. On the thread that owns the inbox.</summary>
    internal abstract void Begin(RoutedEnd end);
}
