using Pillarbox.Broker;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>Link names over sessions and connections (part 2 section 2.6.1), and what input waits for.</content>
internal sealed partial class ConnectionEndpoint
{
    private readonly Dictionary<(string Name, Role PeerRole), Link> _linksByName = [];
    private (AmqpSession Session, Attach Attach)? _deferredAttach;
    private (Attach Attach, Task<InteriorAnswer> Answer)? _lookUp;
    private ReceivingLink? _largeLink;

    /// <summary>
    /// What further input waits for: another connection that gives up a link, a queue that is not on disk yet, or the
    /// disk behind a large message. Null: nothing.
    /// </summary>
    public Task? InputGate { get; private set; }

    /// <summary>Whether input waits: for that, or for the disk to take what was published.</summary>
    public bool IsInputPaused => InputGate is not null || (HasClient && Client.IsBehind);

    private ContainerKey Container => new(AddressSpace, Identity.Name, ContainerId);

    // An empty container id names nobody: its links are the connection's own. So are those of other nodes.
    private bool IsNamed => ContainerId.Length > 0 && Role == ConnectionRole.Normal;

    /// <summary>What input waited for has come.</summary>
    public void ResumeInput()
    {
        InputGate = null;
        ReceivingLink? large = _largeLink;
        _largeLink = null;
        large?.OnLargeReady();
        if (_deferredAttach is not { } deferred)
        {
            return;
        }

        _deferredAttach = null;
        if (deferred.Session.State == SessionState.Mapped && State == ConnectionState.Opened)
        {
            CurrentSession = deferred.Session;
            CurrentLink = null;
            CurrentAttach = deferred.Attach;
            deferred.Session.CompleteAttach(deferred.Attach);
        }
    }

    /// <summary>No further frames are read until the disk has caught up with a large message.</summary>
    public void PauseInputUntilReady(LargePublish large, ReceivingLink link)
    {
        // The last frame of a message pauses the input once more, behind the frame before it.
        _largeLink = link;
        InputGate = large.ReadyAsync(CancellationToken.None).AsTask();
    }

    /// <summary>No further frames are read until the task is done; the loop itself completes it.</summary>
    public void PauseInput(Task until) => InputGate = until;

    /// <summary>
    /// A link that is attached again, with the same name and direction, is taken from its old place: in this connection
    /// at once; from another
    /// connection by asking it, which defers the attach and all input after it. True: go on with the attach.
    /// </summary>
    public bool TakeLinkName(AmqpSession session, Attach attach)
    {
        if (_linksByName.TryGetValue((attach.Name, attach.Role), out Link? old))
        {
            Steal(old);
        }

        var key = new LinkKey(Container, attach.Name, attach.Role);
        if (!IsNamed || Environment.Containers.Take(key, _owner) is not { } other)
        {
            return true;
        }

        Task given = other.GiveUpAsync(key);
        if (given.IsCompleted)
        {
            return true;
        }

        InputGate = given;
        _deferredAttach = (session, attach);
        return false;
    }

    /// <summary>
    /// An attach is answered only when the node that it led to is on disk. True: that takes a while; the attach, and
    /// all input after it, is put off, and then begun anew.
    /// </summary>
    public bool DefersUntilMade(AmqpSession session, Attach attach)
    {
        if (Client.WhenMade() is not { } made)
        {
            return false;
        }

        InputGate = made;
        _deferredAttach = (session, attach);
        return true;
    }

    /// <summary>
    /// What the interior knows of the address of an attach; the attach, and all input after it, is put off until that
    /// is known, and then begun anew. Null: nobody is asked.
    /// </summary>
    public Task<InteriorAnswer>? LookUp(AmqpSession session, Attach attach, string address, bool toSend)
    {
        if (_lookUp is { } known && ReferenceEquals(known.Attach, attach))
        {
            return known.Answer;
        }

        if (Network!.LookUp(address, toSend) is not { } answer)
        {
            return null;
        }

        _lookUp = (attach, answer);
        if (!answer.IsCompleted)
        {
            InputGate = answer;
            _deferredAttach = (session, attach);
        }

        return answer;
    }

    /// <summary>Another connection attached this link: it is detached here.</summary>
    public void GiveUp(LinkKey link)
    {
        if (_linksByName.TryGetValue((link.Name, link.PeerRole), out Link? old))
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
        return isWanted && IsNamed
            ? Environment.Suspended.Open(new LinkKey(Container, attach.Name, attach.Role), Environment.SteadyMs)
            : null;
    }

    /// <summary>The link that remembered has ended.</summary>
    public void Suspend(Link link, RememberedDeliveries memory, LinkEnd end) => Environment.Suspended.Release(
        new LinkKey(Container, link.Name, link.PeerRole), memory, end == LinkEnd.Closed, Environment.SteadyMs);

    public void OnLinkAttached(Link link)
    {
        if (link.State == LinkState.Attached)
        {
            _linksByName[(link.Name, link.PeerRole)] = link;
        }
    }

    public void OnLinkReleased(Link link)
    {
        if (_linksByName.TryGetValue((link.Name, link.PeerRole), out Link? known) && known == link)
        {
            _linksByName.Remove((link.Name, link.PeerRole));
            if (IsNamed)
            {
                Environment.Containers.Release(new LinkKey(Container, link.Name, link.PeerRole), _owner);
            }
        }
    }

    private static void Steal(Link old) => old.Session.Detach(
        old,
        new AmqpError
        {
            Condition = AmqpErrorCondition.LinkStolen,
            Description = "the link was attached again elsewhere",
        },
        LinkEnd.Detached);
}
