using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>How far a link is.</summary>
public enum LinkState
{
    /// <summary>Attach was sent.</summary>
    Attaching,

    Attached,

    /// <summary>Refused, detached or closed, by either end.</summary>
    Detached,
}

/// <summary>What the ends of a link share (part 2 section 2.6). One thread.</summary>
public abstract class ClientLink
{
    private bool _detachSent;

    private protected ClientLink(ClientSession session, string name, uint handle)
    {
        Session = session;
        Name = name;
        Handle = handle;
    }

    public ClientSession Session { get; }

    public string Name { get; }

    public LinkState State { get; private set; }

    /// <summary>Why the peer refused or detached it, if it said so.</summary>
    public AmqpError? Error { get; private set; }

    /// <summary>The peer's answer to the attach; null before it came.</summary>
    public Attach? Peer { get; private set; }

    /// <summary>Deliveries that may still be sent on this link.</summary>
    public uint Credit { get; private protected set; }

    internal uint Handle { get; }

    internal uint DeliveryCount { get; private protected set; }

    internal abstract bool IsSender { get; }

    /// <summary>Detaches; closed ends the link for good, else the peer keeps its terminus as far as its policy
    /// says.</summary>
    public void Detach(bool closed = true)
    {
        if (!_detachSent)
        {
            _detachSent = true;
            Session.Flush();
            Session.WriteDetach(new Detach { Handle = Handle, Closed = closed });
        }
    }

    internal abstract void OnFlow(in Flow flow);

    internal virtual void OnAttach(Attach attach)
    {
        Peer = attach;

        // Section 2.6.3: a refused link is attached without the terminus, and detached at once.
        bool refused = IsSender ? attach.Target is null : attach.Source is null;
        if (!refused && State == LinkState.Attaching)
        {
            State = LinkState.Attached;
        }
    }

    internal void OnDetach(Detach detach)
    {
        State = LinkState.Detached;
        Error = detach.Error;
        Credit = 0;
        if (!_detachSent)
        {
            _detachSent = true;
            Session.WriteDetach(new Detach { Handle = Handle, Closed = detach.Closed });
        }
    }
}
