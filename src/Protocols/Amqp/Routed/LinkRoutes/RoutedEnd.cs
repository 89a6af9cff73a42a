using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

/// <summary>What one half of a routed link tells the other.</summary>
internal enum EndCall
{
    /// <summary>To the far half: begin.</summary>
    Begin,

    /// <summary>To the near half: the container has answered.</summary>
    Answer,

    /// <summary>To the half that messages come by: the receiver's credit, and whether it drains.</summary>
    Credit,

    /// <summary>To the half that messages go by: the sender's count.</summary>
    Count,

    /// <summary>The other half is gone, or going.</summary>
    Detach,

    /// <summary>To itself: nobody wants the link that was begun.</summary>
    GiveUp,

    /// <summary>To itself: the link has ended.</summary>
    Ended,
}

/// <summary>
/// One half of a link that goes through the node as a whole: the near one is what a client, or a router on the way, has
/// attached; the far one is what the node has begun for it towards the container. Attach, credit, outcomes and detach
/// pass from half to half as they are. Each half belongs to the loop of its connection; what the halves tell each other
/// crosses by the inboxes, in order, before or behind the deliveries.
/// </summary>
internal sealed class RoutedEnd : IRoutedCall
{
    private readonly RoutedInbox _inbox;
    private Attach? _answer;
    private AmqpError? _farewell;
    private bool _farewellCloses;
    private uint _available;
    private Action? _ended;
    private LinksUnderWay? _underWay;

    private RoutedEnd(RoutedInbox inbox, Attach attach) => (_inbox, Attach) = (inbox, attach);

    /// <summary>The other half.</summary>
    public RoutedEnd Other { get; private set; } = null!;

    /// <summary>Whether it is the half that was attached by the peer.</summary>
    public bool IsNear { get; private init; }

    /// <summary>As the peer has sent it, or as the node sends it on.</summary>
    public Attach Attach { get; }

    /// <summary>What the link's session at the other half is kept by: links of one session stay in one.</summary>
    public object SessionKey { get; private init; } = null!;

    /// <summary>What crosses from the half's connection; the far half has it when it is begun.</summary>
    public RoutedTraffic? Traffic { get; private set; }

    /// <summary>The half's link, once there is one.</summary>
    public Link? Link { get; private set; }

    /// <summary>Where the other half hands deliveries in, of a half by which messages go.</summary>
    public Outlet? Outlet { get; set; }

    /// <summary>Whether another router is at the half's other end.</summary>
    public bool IsTowardsRouter => Link?.Session.Connection.Role == ConnectionRole.InterRouter;

    /// <summary>Whether both attaches of this half's link were exchanged.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>Whether the link has ended, or is ended.</summary>
    public bool IsOver { get; private set; }

    /// <summary>What is to be done when the link has ended.</summary>
    public Action? OnEnded { get; set; }

    private LinkRouteWay Way { get; init; } = null!;

    /// <summary>Both halves of a link that a peer has attached. On the loop of its connection.</summary>
    public static RoutedEnd Make(AmqpSession session, Attach attach, LinkRouteWay way)
    {
        ConnectionEndpoint connection = session.Connection;
        var near = new RoutedEnd(connection.Routed.Inbox, attach)
        {
            IsNear = true,
            Traffic = connection.Routed,
            SessionKey = session,
            Way = way,
            _underWay = connection.Environment.UnderWay,
        };
        var far = new RoutedEnd(way.Carrier!.Inbox, LinkRouteAttach.Onward(connection, attach, way))
        {
            SessionKey = session,
            Way = way,
        };
        (near.Other, far.Other) = (far, near);
        return near;
    }

    /// <summary>The near half's link is there: the far one is begun.</summary>
    public void Begin(Link link)
    {
        Link = link;
        Tell(EndCall.Begin);
    }

    /// <summary>The far half's link is there, of the container's answer.</summary>
    public void OnBegun(Link link, Attach answer)
    {
        Link = link;
        IsAnswered = true;
        Other._answer = answer;
        Tell(EndCall.Answer);
        if (IsOver)
        {
            Traffic!.Post(_inbox, new RoutedEvent(RoutedEventKind.Call, this) { Generation = (int)EndCall.GiveUp });
        }
    }

    /// <summary>The far half cannot be begun, or its answer will not come.</summary>
    public void Fail(AmqpError error)
    {
        if (!IsOver)
        {
            IsOver = true;
            SayFarewell(error, closes: true);
        }
    }

    /// <summary>The far half is on its connection now.</summary>
    public void Join(RoutedTraffic traffic) => Traffic = traffic;

    /// <summary>The receiver lets the sender go up to a count of deliveries.</summary>
    public void TellCredit(uint limit, bool drain) => Tell(EndCall.Credit, unchecked((int)limit), drain);

    /// <summary>The sender's count of deliveries, and how many more it has.</summary>
    public void TellCount(uint count, uint available)
    {
        Volatile.Write(ref Other._available, available);
        Tell(EndCall.Count, unchecked((int)count));
    }

    /// <summary>The half's link has ended by its peer, or with its session or connection.</summary>
    public void OnReleased(LinkEnd how, AmqpError? error)
    {
        Arrive();
        Action? ended = OnEnded;
        OnEnded = null;
        if (ended is not null)
        {
            // Behind the detach, which is still to be written.
            Traffic!.Post(_inbox, new RoutedEvent(RoutedEventKind.Call, this) { Generation = (int)EndCall.Ended });
            _ended = ended;
        }

        if (IsOver)
        {
            return;
        }

        IsOver = true;
        bool isDetached = how is LinkEnd.Closed or LinkEnd.Detached;
        if (IsNear && !IsAnswered && isDetached)
        {
            // Part 2 section 2.6.3: an attach is answered before the link ends.
            AnswerWithoutTerminus();
        }

        SayFarewell(isDetached ? error : LinkRouteErrors.Lost, closes: how != LinkEnd.Detached);
    }

    /// <inheritdoc/>
    public void Run(in RoutedEvent crossing)
    {
        try
        {
            Do((EndCall)crossing.Generation, crossing);
        }
        catch (AmqpException fault)
        {
            // What the other half says does not fit into this connection's frames.
            OnFault(fault.ToError());
        }
    }

    /// <inheritdoc/>
    public void OnGone(in RoutedEvent crossing)
    {
        if ((EndCall)crossing.Generation == EndCall.Begin)
        {
            Other._farewell = LinkRouteErrors.Lost;
            Other._farewellCloses = true;
            Other._inbox.Post(
                new RoutedEvent(RoutedEventKind.Call, Other) { Generation = (int)EndCall.Detach });
            Other._inbox.Wake();
        }
    }

    private void Do(EndCall call, in RoutedEvent crossing)
    {
        switch (call)
        {
            case EndCall.Begin:
                Way.Carrier!.Begin(this);
                return;
            case EndCall.Answer when !IsOver:
                OnAnswer(_answer!);
                return;
            case EndCall.Credit when !IsOver:
                (Link as LinkRouteIncoming)?.OnCredit(unchecked((uint)crossing.Count), crossing.Flag);
                return;
            case EndCall.Count when !IsOver:
                (Link as RoutedOutgoingLink)?.OnSenderCount(
                    unchecked((uint)crossing.Count), Volatile.Read(ref _available));
                return;
            case EndCall.Detach when !IsOver:
                OnFarewell();
                return;
            case EndCall.Ended:
                _ended!();
                return;
            case EndCall.GiveUp:
                Link!.Session.Detach(Link, _farewell, LinkEnd.Closed, _farewellCloses);
                return;
        }
    }

    // Of the near half: what the container has answered, with the peer's own name for the link.
    private void OnAnswer(Attach answer)
    {
        Arrive();
        AmqpSession session = Link!.Session;
        session.Connection.Frames.Write(session.Channel, answer with
        {
            Name = Attach.Name,
            Handle = Link.Handle,
            Source = LinkRouteAttach.Map(answer.Source, Way.FromContainer, Attach.Role == Role.Receiver) as Source,
            Target = LinkRouteAttach.Map(answer.Target, Way.FromContainer, Attach.Role == Role.Sender),
        });
        IsAnswered = true;
        if (Link is RoutedOutgoingLink outgoing)
        {
            outgoing.OnAnswered(answer.InitialDeliveryCount ?? 0);
        }
    }

    private void OnFarewell()
    {
        IsOver = true;
        if (Link is null)
        {
            // The far half's attach is on its way: what it makes is given up.
            return;
        }

        if (!IsAnswered)
        {
            AnswerWithoutTerminus();
        }

        LinkEnd end = _farewellCloses ? LinkEnd.Closed : LinkEnd.Detached;
        Link.Session.Detach(Link, _farewell, end, _farewellCloses);
    }

    private void OnFault(AmqpError error)
    {
        if (IsOver)
        {
            return;
        }

        IsOver = true;
        SayFarewell(error, closes: true);
        if (Link is { } link)
        {
            if (IsNear && !IsAnswered)
            {
                AnswerWithoutTerminus();
            }

            link.Session.Detach(link, error);
        }
    }

    // Of the near half: it is under way no longer.
    private void Arrive()
    {
        _underWay?.Leave(Other.Attach.Name, Attach.Role);
        _underWay = null;
    }

    private void AnswerWithoutTerminus()
    {
        AmqpSession session = Link!.Session;
        IsAnswered = true;
        session.Connection.Frames.Write(session.Channel, new Attach
        {
            Name = Attach.Name,
            Handle = Link.Handle,
            Role = Attach.Role == Role.Sender ? Role.Receiver : Role.Sender,
            Source = Attach.Role == Role.Sender ? Attach.Source : null,
            Target = Attach.Role == Role.Sender ? null : Attach.Target,
            InitialDeliveryCount = Attach.Role == Role.Sender ? null : 0,
        });
    }

    private void SayFarewell(AmqpError? error, bool closes)
    {
        Other._farewell = error;
        Other._farewellCloses = closes;
        Tell(EndCall.Detach);
    }

    private void Tell(EndCall call, int count = 0, bool flag = false) =>
        Traffic!.Post(Other._inbox, new RoutedEvent(RoutedEventKind.Call, Other)
        {
            Generation = (int)call,
            Count = count,
            Flag = flag,
        });
}
