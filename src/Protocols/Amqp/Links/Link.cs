using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>
/// Where a link endpoint of the node stands (part 2 section 2.6.3). One that the node begins is there once the peer has
/// answered.
/// </summary>
internal enum LinkState : byte
{
    /// <summary>Both attaches were exchanged.</summary>
    Attached,

    /// <summary>The node detached; what the peer still sends on the handle is dropped until its detach comes.</summary>
    DetachSent,

    /// <summary>Gone.</summary>
    Detached,
}

/// <summary>Why a link ends: decides what happens to its deliveries and its terminus.</summary>
internal enum LinkEnd : byte
{
    /// <summary>A detach with closed: the terminus goes too.</summary>
    Closed,

    /// <summary>A detach without closed.</summary>
    Detached,

    /// <summary>The session ended.</summary>
    SessionEnd,

    /// <summary>The connection closed in order.</summary>
    ConnectionClose,

    /// <summary>The connection broke.</summary>
    ConnectionLost,
}

/// <summary>The node's end of a link. Owned by its connection.</summary>
internal abstract class Link(AmqpSession session, Attach attach)
{
    public AmqpSession Session { get; } = session;

    public string Name { get; } = attach.Name;

    /// <summary>The peer's handle.</summary>
    public uint PeerHandle { get; } = attach.Handle;

    /// <summary>The node's own handle: the peer's number, unless the node began the session.</summary>
    public uint Handle { get; } = session.HandleFor(attach);

    /// <summary>The peer's role.</summary>
    public Role PeerRole { get; } = attach.Role;

    public LinkState State { get; set; } = LinkState.Attached;

    /// <summary>What the peer's detach named as its reason; null: nothing, or there was none.</summary>
    public AmqpError? PeerError { get; set; }

    /// <summary>Whether the connection has noted that a flow is due.</summary>
    public bool OwesFlow { get; set; }

    /// <summary>A flow for this link, with its handle.</summary>
    public abstract void OnFlow(in Flow flow);

    /// <summary>The link has ended: gives back what the broker holds for it. Called once.</summary>
    public abstract void Release(LinkEnd end);

    /// <summary>Writes a flow with the link's state.</summary>
    public abstract void WriteFlow(bool echo);
}
