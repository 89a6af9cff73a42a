using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Reading;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// The links to another router: one pair for control messages, and pairs for users' messages, one a priority. Who made
/// the connection begins them all; a peer that begins fewer is content with those. Owned by the connection's loop; what
/// <see cref="PeerLink"/> promises is for any thread.
/// </summary>
internal sealed class TrunkLinks : PeerLink
{
    /// <summary>Priorities, and so pairs of data links.</summary>
    public const int PrioritiesMax = 10;

    private const string ControlCapability = "qd.router";
    private const string DataCapability = "qd.router-data";
    private const int NameChars = 15;

    private readonly ConnectionEndpoint _connection;
    private readonly INetwork _network;
    private readonly RoutedInbox _inbox;
    private readonly Outlet?[] _outlets = new Outlet?[PrioritiesMax];
    private readonly TrunkStreams? _streams;
    private ControlOutgoingLink? _controlOut;
    private ControlIncomingLink? _controlIn;
    private int _dataLinks;
    private int _dataLinksIn;
    private bool _isUp;

    public TrunkLinks(ConnectionEndpoint connection, INetwork network)
    {
        _connection = connection;
        _network = network;
        _inbox = connection.Routed.Inbox;
        PeerId = connection.ContainerId;
        Cost = RouterOpen.CostOf(connection.PeerOpen, connection.Plan);
        IsAlike = RouterOpen.IsAlike(connection.PeerOpen);
        int streams = RouterOpen.StreamLinksOf(connection.PeerOpen, connection.Options);
        _streams = streams > 0 ? new TrunkStreams(this, connection, streams) : null;
    }

    /// <inheritdoc/>
    public override string PeerId { get; }

    /// <inheritdoc/>
    public override int Cost { get; }

    /// <inheritdoc/>
    public override string PlanName => _connection.Plan.Name;

    /// <inheritdoc/>
    public override bool IsInitiator => _connection.IsInitiator;

    /// <inheritdoc/>
    public override string RemoteEndPoint => _connection.RemoteEndPoint;

    internal override bool IsAlike { get; }

    /// <inheritdoc/>
    public override Outlet? OutletFor(int priority)
    {
        for (int i = Math.Clamp(priority, 0, PrioritiesMax - 1); i >= 0; i--)
        {
            if (Volatile.Read(ref _outlets[i]) is { } outlet)
            {
                return outlet;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public override LinkCarrier? Carrier => _connection.Carrier;

    /// <inheritdoc/>
    public override Outlet? StreamOutlet => _streams;

    /// <inheritdoc/>
    public override void SendControl(byte[] message)
    {
        _inbox.Post(new RoutedEvent(RoutedEventKind.Control, this) { Bytes = message });
        _inbox.Wake();
    }

    /// <inheritdoc/>
    public override void GiveUp()
    {
        _inbox.Post(new RoutedEvent(RoutedEventKind.Tick, new Silence(_connection)));
        _inbox.Wake();
    }

    /// <summary>Both opens were exchanged: who made the connection begins the links.</summary>
    public void OnOpened()
    {
        if (!IsInitiator || _connection.Role != ConnectionRole.InterRouter)
        {
            return;
        }

        BeginPair(_connection.BeginSession(), ControlCapability, MakeControl);
        for (int priority = 0; priority < PrioritiesMax; priority++)
        {
            int place = priority;
            AmqpSession own = _connection.BeginSession();
            BeginPair(own, DataCapability, (session, attach) => MakeData(session, attach, place));
        }
    }

    /// <summary>The peer begins a link that is a router's. False: it is none. Errors: forbidden to who is no
    /// router.</summary>
    public static bool Takes(AmqpSession session, Attach attach)
    {
        string? capability = CapabilityOf(attach);
        if (capability is null)
        {
            return false;
        }

        if (session.Connection.Trunk is not { } trunk || session.Connection.Role != ConnectionRole.InterRouter)
        {
            session.Refuse(attach, new AmqpError
            {
                Condition = "qd:forbidden",
                Description = "a router's link on a connection that is none of a router",
            });
            return true;
        }

        trunk.Answer(session, attach, capability);
        return true;
    }

    /// <summary>Begins a link, on a session of its own, for messages without an end in sight.</summary>
    public void BeginStream()
    {
        AmqpSession session = _connection.BeginSession();
        session.BeginLink(NewAttach(Role.Sender, DataCapability), attach => _streams!.Add(session, attach));
    }

    /// <summary>A control message came.</summary>
    public void OnControl(ReadOnlySpan<byte> message) => _network.OnControl(this, message);

    /// <summary>A control message is to be sent.</summary>
    public void OnControlToSend(byte[] message) => _controlOut?.Send(message);

    /// <summary>A control link has ended.</summary>
    public void OnControlLost()
    {
        if (_isUp)
        {
            _isUp = false;
            _network.OnPeerDown(this);
        }
    }

    /// <summary>The connection is over.</summary>
    public void OnConnectionOver()
    {
        OnControlLost();
        _streams?.Close();
    }

    private static string? CapabilityOf(Attach attach)
    {
        string[]? capabilities = (attach.Target as Target)?.Capabilities ?? attach.Source?.Capabilities;
        return capabilities is null ? null
            : capabilities.Contains(DataCapability) ? DataCapability
            : capabilities.Contains(ControlCapability) ? ControlCapability
            : null;
    }

    private void BeginPair(AmqpSession session, string capability, Func<AmqpSession, Attach, Link> make)
    {
        foreach (Role role in (Role[])[Role.Sender, Role.Receiver])
        {
            session.BeginLink(NewAttach(role, capability), attach => make(session, attach));
        }
    }

    private Attach NewAttach(Role role, string capability) => new()
    {
        Name = NewName(_connection.Environment.Random),
        Handle = 0,
        Role = role,
        Source = new Source { ExpiryPolicy = TerminusExpiryPolicy.LinkDetach, Capabilities = [capability] },
        Target = new Target { ExpiryPolicy = TerminusExpiryPolicy.LinkDetach, Capabilities = [capability] },
        InitialDeliveryCount = role == Role.Sender ? 0 : null,
    };

    /// <summary>A link's name that no other has.</summary>
    public static string NewName(IRandom random)
    {
        Span<byte> bytes = stackalloc byte[NameChars];
        random.Fill(bytes);
        return "qdlink." + Convert.ToHexStringLower(bytes)[..NameChars];
    }

    private void Answer(AmqpSession session, Attach attach, string capability)
    {
        bool peerSends = attach.Role == Role.Sender;
        _connection.Frames.Write(session.Channel, new Attach
        {
            Name = attach.Name,
            Handle = session.HandleFor(attach),
            Role = peerSends ? Role.Receiver : Role.Sender,
            SenderSettleMode = attach.SenderSettleMode,
            ReceiverSettleMode = attach.ReceiverSettleMode,
            Source = attach.Source,
            Target = attach.Target,
            InitialDeliveryCount = peerSends ? null : 0,
        });
        Link link = capability == ControlCapability
            ? MakeControl(session, attach)
            : MakeData(session, attach, place: peerSends ? _dataLinksIn++ : _dataLinks++);
        session.Put(link);
        TellWhenUp();
    }

    private Link MakeControl(AmqpSession session, Attach attach)
    {
        if (attach.Role == Role.Sender)
        {
            _controlIn = new ControlIncomingLink(session, attach, OnControl, OnControlLost, isShown: true);
            TellWhenUp();
            return _controlIn;
        }

        _controlOut = new ControlOutgoingLink(session, attach, OnControlLost, isShown: true);
        TellWhenUp();
        return _controlOut;
    }

    private Link MakeData(AmqpSession session, Attach attach, int place)
    {
        if (attach.Role == Role.Sender)
        {
            return new RoutedIncomingLink(session, attach, RoutedSender.Router)
            {
                Priority = Math.Min(place, PrioritiesMax - 1),
            };
        }

        RoutedOutgoingLink? link = null;
        link = new RoutedOutgoingLink(session, attach, this)
        {
            OnReleased = () => Lose(link!, place),
            Priority = place,
        };
        if (place < PrioritiesMax)
        {
            Volatile.Write(ref _outlets[place], link.Outlet);
        }

        return link;
    }

    private void Lose(RoutedOutgoingLink link, int place)
    {
        if (place < PrioritiesMax && _outlets[place] == link.Outlet)
        {
            Volatile.Write(ref _outlets[place], null);
        }
    }

    private sealed class Silence(ConnectionEndpoint connection) : ITicked
    {
        public void OnTick() => connection.Close(new AmqpError
        {
            Condition = AmqpErrorCondition.ConnectionForced,
            Description = "no hello was heard for too long",
        });
    }

    private void TellWhenUp()
    {
        if (!_isUp && _controlIn is { State: LinkState.Attached } && _controlOut is { State: LinkState.Attached })
        {
            _isUp = true;
            _network.OnPeerUp(this);
        }
    }
}
