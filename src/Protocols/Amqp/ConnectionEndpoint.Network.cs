using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp;

/// <content>The node as a part of a network: what it begins on a connection, and what crosses from others.</content>
internal sealed partial class ConnectionEndpoint
{
    private RoutedTraffic? _routed;
    private TrunkLinks? _trunk;
    private EdgeUplink? _uplink;
    private CarriedLinks? _carrier;

    /// <summary>The network that the node is in; null: none.</summary>
    public INetwork? Network => Environment.Network;

    /// <summary>What the node takes the connection for, and its end's part in it.</summary>
    public ConnectionPlan Plan => _plan;

    /// <summary>Counts the connections of the node.</summary>
    public long Number { get; set; }

    /// <summary>When it was made, in milliseconds since the Unix epoch.</summary>
    public long SinceUnixMs { get; init; }

    /// <summary>What the peer is.</summary>
    public ConnectionRole Role => _plan.Role;

    /// <summary>The peer's network address.</summary>
    public string RemoteEndPoint => _peer.RemoteEndPoint;

    /// <summary>Whether the node made the connection.</summary>
    public bool IsInitiator => _plan.IsInitiator;

    /// <summary>What crosses between this connection and others of the node.</summary>
    public RoutedTraffic Routed => _routed ??= new RoutedTraffic(() => _trunk, _wakeable);

    /// <summary>Whether something has crossed that waits to be taken.</summary>
    public bool HasRoutedEvents => _routed is { HasEvents: true };

    /// <summary>The links to another router; there are some from the open on when the role says so.</summary>
    public TrunkLinks? Trunk => _trunk;

    /// <summary>The other router, of whatever kind; null: the peer is none, or an edge.</summary>
    public PeerLink? Peer => (PeerLink?)_trunk ?? _uplink;

    /// <summary>What begins links on this connection for others; null: the peer is a client.</summary>
    public LinkCarrier? Carrier => Volatile.Read(ref _carrier);

    /// <summary>The same; it is made for a client that asks for it. Any thread.</summary>
    public LinkCarrier NeedCarrier() => Carrier
        ?? Interlocked.CompareExchange(ref _carrier, new CarriedLinks(this, Network!), null) ?? _carrier;

    /// <summary>Whether the peer is a node like this one.</summary>
    public bool IsPeerAlike => RouterOpen.IsAlike(PeerOpen);

    /// <summary>What an edge is told of its addresses; null: the peer is no edge, or does not ask.</summary>
    public EdgeTracking? Tracking { get; set; }

    /// <summary>What the peer said in its open.</summary>
    public Open? PeerOpen { get; private set; }

    /// <summary>The connection at this moment. Any thread.</summary>
    public ConnectionFacts Describe() => new()
    {
        Id = Number,
        Container = ContainerId,
        RemoteEndPoint = RemoteEndPoint,
        Plan = _plan,
        IsOpened = PeerOpen is not null,
        User = IsInitiator ? _sasl.NodeUser : Identity.IsAnonymous ? null : Identity.Name,
        SaslMechanism = _sasl.Mechanism,
        Tenant = Tenant,
        IsEncrypted = _peer.IsTls,
        TlsProtocol = _peer.IsTls ? (_peer.Tls ?? TlsFacts.Unknown).Protocol : null,
        TlsCipher = _peer.Tls?.Cipher,
        TlsBits = _peer.Tls?.Bits ?? 0,
        SinceUnixMs = SinceUnixMs,
        Properties = PeerOpen?.Properties,
    };

    /// <summary>The node has made the connection and logged in; the protocol headers are exchanged. Says the
    /// open.</summary>
    public void Initiate(InitiatedLogin login)
    {
        State = ConnectionState.HeadersExchanged;
        _sasl.OnNodeLoggedIn(login);
        WriteOpen();
    }

    /// <summary>Begins a session of the node's own. Errors of a link: resource-limit-exceeded.</summary>
    public AmqpSession BeginSession() => _sessions.Begin();

    private void JoinNetwork()
    {
        if (Network is { } containers && Role != ConnectionRole.Normal)
        {
            _carrier = new CarriedLinks(this, containers);
            _carrier.OnOpened();
        }

        if (Network is { } network && Role == ConnectionRole.InterRouter)
        {
            _trunk = new TrunkLinks(this, network);
            _trunk.OnOpened();
        }
        else if (Network is { } interior && Role == ConnectionRole.Edge && IsInitiator)
        {
            _uplink = new EdgeUplink(this, interior);
            _uplink.OnOpened();
        }
    }

    // Another router sees, and speaks for, everybody: only who may send and consume everything can be one.
    private void CheckRouter()
    {
        if (Role != ConnectionRole.Normal && !IsInitiator)
        {
            Environment.Broker.Authorizer.Authorize(
                Identity, Permission.Send | Permission.Consume, AddressSpace, new AddressName("#", null));
        }
    }

    private void LeaveNetwork()
    {
        _trunk?.OnConnectionOver();
        _uplink?.OnConnectionOver();
        _routed?.Close();

        // Behind that: whoever makes it later finds the inbox closed.
        Volatile.Read(ref _carrier)?.OnConnectionOver();
        _routed?.WakeOthers();
    }
}
