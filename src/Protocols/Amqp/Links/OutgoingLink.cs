using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>How a try to write one transfer ended.</summary>
internal enum SendResult : byte
{
    /// <summary>A frame was written; there may be more.</summary>
    Sent,

    /// <summary>Nothing to send, or no credit.</summary>
    Idle,

    /// <summary>The session's window is closed, or too much is unsettled.</summary>
    SessionBlocked,

    /// <summary>Bytes must come from disk first.</summary>
    NeedsRead,
}

/// <summary>The node's sending end of a link, as the connection's turn sees it: it writes frames when it may. Owned by
/// its connection.</summary>
internal abstract class OutgoingLink(AmqpSession session, Attach attach) : Link(session, attach)
{
    /// <summary>Whether the link waits in the connection's list of links that may write.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Whether the link has something that it may write now.</summary>
    public abstract bool HasWork { get; }

    /// <summary>Writes one frame if it may.</summary>
    public abstract SendResult TrySend(FrameWriter frames);
}
