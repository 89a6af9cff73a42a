using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Containers;

/// <summary>
/// The links that the node begins on a connection because others want them: links of its own that it keeps to a
/// container, and the far halves of routed links. Links that were attached in one session stay in one session of their
/// own, as far as there are sessions. Owned by the connection's loop; what <see cref="LinkCarrier"/> promises is for
/// any thread.
/// </summary>
internal sealed class CarriedLinks : LinkCarrier
{
    /// <summary>Sessions for routed links on a connection to another router, which has sessions of its own.</summary>
    public const int TrunkSessionsMax = 32;

    /// <summary>Sessions for routed links on a connection to a container; beyond, links share them.</summary>
    public const int SessionsMax = 200;

    private readonly ConnectionEndpoint _connection;
    private readonly INetwork _network;
    private readonly Dictionary<object, CarriedSession> _sessions = [];
    private readonly Dictionary<RoutedEnd, CarriedSession> _unanswered = [];
    private readonly OwnLinks _own;
    private readonly int _sessionsMax;

    public CarriedLinks(ConnectionEndpoint connection, INetwork network)
    {
        _connection = connection;
        _network = network;
        _own = new OwnLinks(connection, network);
        int most = connection.Role == ConnectionRole.RouteContainer ? SessionsMax : TrunkSessionsMax;
        int channels = Math.Min(connection.PeerOpen!.ChannelMax, connection.Options.ChannelMax);
        _sessionsMax = Math.Clamp(channels, 1, most);
    }

    /// <inheritdoc/>
    public override string ContainerId => _connection.ContainerId;

    /// <inheritdoc/>
    public override string Name => _connection.Plan.Name;

    /// <inheritdoc/>
    public override bool IsContainer => _connection.Role == ConnectionRole.RouteContainer;

    internal override RoutedInbox Inbox => _connection.Routed.Inbox;

    /// <inheritdoc/>
    public override void Begin(AutoLinkRun run) => _own.Ask(run, isWanted: true);

    /// <inheritdoc/>
    public override void End(AutoLinkRun run) => _own.Ask(run, isWanted: false);

    /// <summary>Both opens were exchanged.</summary>
    public void OnOpened()
    {
        if (IsContainer)
        {
            _network.OnCarrier(this);
        }
    }

    /// <summary>The connection is over.</summary>
    public void OnConnectionOver()
    {
        _network.OnCarrierLost(this);
        foreach (RoutedEnd end in _unanswered.Keys)
        {
            end.Fail(LinkRouteErrors.Lost);
        }

        _unanswered.Clear();
        _own.OnConnectionOver();
    }

    internal override void Begin(RoutedEnd end)
    {
        end.Join(_connection.Routed);
        CarriedSession session = SessionOf(end.SessionKey);
        if (!session.Session.HasFreeHandle)
        {
            end.Fail(LinkRouteErrors.Full);
            return;
        }

        try
        {
            session.Session.BeginLink(end.Attach, answer => Make(end, session, answer));
        }
        catch (AmqpException fault)
        {
            end.Fail(fault.ToError());
            EndIfUnused(session);
            return;
        }

        session.Links++;
        _unanswered.Add(end, session);
    }

    private Link Make(RoutedEnd end, CarriedSession session, Attach answer)
    {
        _unanswered.Remove(end);
        end.OnEnded = () =>
        {
            session.Links--;
            EndIfUnused(session);
        };
        Link link = answer.Role == Role.Receiver
            ? new RoutedOutgoingLink(session.Session, answer, end)
            : new LinkRouteIncoming(session.Session, answer, end);
        end.OnBegun(link, answer);
        return link;
    }

    private CarriedSession SessionOf(object key)
    {
        if (_sessions.TryGetValue(key, out CarriedSession? there) && !there.Session.IsEnding)
        {
            return there;
        }

        if (_sessions.Count >= _sessionsMax)
        {
            // There are no more: it shares the one with the fewest links.
            return _sessions.Values.MinBy(session => session.Links)!;
        }

        AmqpSession begun = _connection.BeginSession();
        var made = new CarriedSession(key, begun);
        begun.OnReleased = () => OnSessionOver(made);
        _sessions[key] = made;
        return made;
    }

    private void OnSessionOver(CarriedSession session)
    {
        _sessions.Remove(session.Key);
        foreach (RoutedEnd end in _unanswered.Where(begun => begun.Value == session).Select(b => b.Key).ToArray())
        {
            _unanswered.Remove(end);
            end.Fail(LinkRouteErrors.Lost);
        }
    }

    private static void EndIfUnused(CarriedSession session)
    {
        if (session.Links == 0 && session.Session.State == SessionState.Mapped)
        {
            session.Session.End(error: null);
        }
    }

    /// <summary>A session for routed links.</summary>
    private sealed class CarriedSession(object key, AmqpSession session)
    {
        /// <summary>The session that its links were attached in.</summary>
        public object Key { get; } = key;

        public AmqpSession Session { get; } = session;

        /// <summary>Links that are in it, or begun.</summary>
        public int Links { get; set; }
    }
}
