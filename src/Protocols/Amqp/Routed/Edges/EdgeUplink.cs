using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>
/// An edge node's connection to a router of the interior. Two links are always there: one to send what has no link of
/// its own, one for messages to addresses of this edge. Further ones come and go with the addresses that the edge's
/// clients send to and draw from. Owned by the connection's loop; what <see cref="PeerLink"/> promises is for any
/// thread.
/// </summary>
internal sealed class EdgeUplink : PeerLink
{
    /// <summary>What the link for addresses of an edge bears.</summary>
    public const string DownlinkCapability = "qd.router-edge-downlink";

    private readonly ConnectionEndpoint _connection;
    private readonly INetwork _network;
    private readonly RoutedInbox _inbox;
    private readonly UplinkPlaces _places;
    private readonly UplinkQuestions _questions;
    private readonly UplinkLinkRoutes _linkRoutes;
    private Outlet? _relay;

    public EdgeUplink(ConnectionEndpoint connection, INetwork network)
    {
        _connection = connection;
        _network = network;
        _inbox = connection.Routed.Inbox;
        _places = new UplinkPlaces(connection, network, this);
        _questions = new UplinkQuestions(connection);
        _linkRoutes = new UplinkLinkRoutes(connection, _questions);
        PeerId = connection.ContainerId;
        IsAlike = RouterOpen.IsAlike(connection.PeerOpen);
    }

    /// <inheritdoc/>
    public override string PeerId { get; }

    /// <inheritdoc/>
    public override int Cost => 1;

    /// <inheritdoc/>
    public override string PlanName => _connection.Plan.Name;

    /// <inheritdoc/>
    public override bool IsInitiator => true;

    /// <inheritdoc/>
    public override string RemoteEndPoint => _connection.RemoteEndPoint;

    /// <inheritdoc/>
    public override LinkCarrier? Carrier => _connection.Carrier;

    internal override bool IsAlike { get; }

    /// <inheritdoc/>
    public override Outlet? OutletFor(int priority) => Volatile.Read(ref _relay);

    /// <inheritdoc/>
    public override void SendControl(byte[] message)
    {
        // An edge takes no part in the routers' protocol.
    }

    /// <inheritdoc/>
    public override void Want(in UplinkWish wish, bool isWanted) => Post(new Wanted(_places, wish), isWanted);

    /// <inheritdoc/>
    public override void Tell(in UplinkLinkRoute route, bool isThere) => Post(new Told(_linkRoutes, route), isThere);

    /// <inheritdoc/>
    public override Task<InteriorAnswer> LookUp(string address, bool toSend)
    {
        var asked = new Asked(this, address, toSend);
        Post(asked, toSend);
        return asked.Answer;
    }

    /// <summary>Both opens were exchanged.</summary>
    public void OnOpened()
    {
        AmqpSession session = _connection.BeginSession();
        AmqpSession own = _connection.BeginSession();
        _questions.Begin(own);
        own.BeginLink(
            NewAttach(Role.Receiver, EdgeTracking.Address, null),
            attach => new ControlIncomingLink(own, attach, OnTracked, onLost: static () => { }));
        session.BeginLink(NewAttach(Role.Sender, null, null), attach =>
        {
            var link = new RoutedOutgoingLink(session, attach, this) { OnReleased = () => _relay = null };
            Volatile.Write(ref _relay, link.Outlet);
            _network.OnUplink(this);
            return link;
        });
        session.BeginLink(
            NewAttach(Role.Receiver, _network.NodeId, DownlinkCapability),
            attach => new RoutedIncomingLink(session, attach, RoutedSender.Router));
    }

    /// <summary>The connection is over.</summary>
    public void OnConnectionOver()
    {
        _linkRoutes.OnConnectionOver();
        _network.OnUplinkLost(this);
        _questions.OnConnectionOver();
    }

    /// <summary>The attach of a link to the interior.</summary>
    public Attach NewAttach(Role role, string? address, string? capability)
    {
        string[]? capabilities = capability is null ? null : [capability];
        bool isDownlink = capability == DownlinkCapability;
        return new Attach
        {
            Name = TrunkLinks.NewName(_connection.Environment.Random),
            Handle = 0,
            Role = role,
            Source = new Source
            {
                Address = role == Role.Receiver ? address : null,
                ExpiryPolicy = TerminusExpiryPolicy.LinkDetach,
                Capabilities = role == Role.Receiver ? capabilities : null,
            },
            Target = new Target
            {
                Address = role == Role.Sender ? address : null,
                ExpiryPolicy = TerminusExpiryPolicy.LinkDetach,
                Capabilities = role == Role.Sender || isDownlink ? capabilities : null,
            },
            InitialDeliveryCount = role == Role.Sender ? 0 : null,
        };
    }

    private void Post(IRoutedCall call, bool flag)
    {
        _inbox.Post(new RoutedEvent(RoutedEventKind.Call, call) { Flag = flag });
        _inbox.Wake();
    }

    // What is said of destinations is in the credit of the links too.
    private void OnTracked(ReadOnlySpan<byte> message)
    {
        try
        {
            if (EdgeTracking.Read(message) is { } news)
            {
                _network.OnUplinkBroker(this, news.Address, news.IsMulticast, news.IsThere);
            }
        }
        catch (AmqpException)
        {
            // It says nothing.
        }
    }

    private InteriorAnswer AnswerOf(string address, AmqpMessage? reply)
    {
        if (reply?.Value.AsList() is not { Count: >= 2 } said)
        {
            return InteriorAnswer.None;
        }

        if (said is [_, _, var broker, ..])
        {
            // A node like this one says more: before the attach goes on it is known where its messages are.
            _network.OnUplinkBroker(this, address, isMulticast: true, broker.AsText() == InteriorAnswer.Topic);
            _network.OnUplinkBroker(this, address, isMulticast: false, broker.AsText() == InteriorAnswer.Queue);
        }

        return new InteriorAnswer(said[0].AsBoolean(), said[1].AsBoolean(), Carrier);
    }

    /// <summary>A wish for a link on its way to the loop.</summary>
    private sealed class Wanted(UplinkPlaces places, UplinkWish wish) : IRoutedCall
    {
        public void Run(in RoutedEvent crossing) => places.OnWish(wish, crossing.Flag);

        public void OnGone(in RoutedEvent crossing)
        {
            // The next connection is told what is wanted then.
        }
    }

    /// <summary>Word of a link route on its way to the loop.</summary>
    private sealed class Told(UplinkLinkRoutes routes, UplinkLinkRoute route) : IRoutedCall
    {
        public void Run(in RoutedEvent crossing) => routes.OnTold(route, crossing.Flag);

        public void OnGone(in RoutedEvent crossing)
        {
            // So is it told what there is.
        }
    }

    /// <summary>A question for an address.</summary>
    private sealed class Asked(EdgeUplink uplink, string address, bool toSend) : IRoutedCall
    {
        // Its continuation is another loop's wake: short, and fit to run here.
        private readonly TaskCompletionSource<InteriorAnswer> _answer = new();

        public Task<InteriorAnswer> Answer => _answer.Task;

        public void Run(in RoutedEvent crossing) => uplink._questions.Look(
            address, toSend, reply => _answer.TrySetResult(uplink.AnswerOf(address, reply)));

        public void OnGone(in RoutedEvent crossing) => _answer.TrySetResult(InteriorAnswer.None);
    }
}
