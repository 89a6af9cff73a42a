using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

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
    private readonly Dictionary<(string Address, Role Role), Link> _links = [];
    private readonly HashSet<(string Address, Role Role)> _wanted = [];
    private readonly HashSet<(string Address, Role Role)> _begun = [];
    private AmqpSession? _session;
    private Outlet? _relay;

    public EdgeUplink(ConnectionEndpoint connection, INetwork network)
    {
        _connection = connection;
        _network = network;
        _inbox = connection.Routed.Inbox;
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

    internal override bool IsAlike { get; }

    /// <inheritdoc/>
    public override Outlet? OutletFor(int priority) => Volatile.Read(ref _relay);

    /// <inheritdoc/>
    public override void SendControl(byte[] message)
    {
        // An edge takes no part in the routers' protocol.
    }

    /// <inheritdoc/>
    public override void Want(string address, bool toSend, bool isWanted)
    {
        _inbox.Post(new RoutedEvent(RoutedEventKind.Uplink, this)
        {
            Bytes = System.Text.Encoding.UTF8.GetBytes(address),
            Count = toSend ? 1 : 0,
            Flag = isWanted,
        });
        _inbox.Wake();
    }

    /// <summary>Both opens were exchanged.</summary>
    public void OnOpened()
    {
        _session = _connection.BeginSession();
        _session.BeginLink(NewAttach(Role.Sender, null, null), attach =>
        {
            var link = new RoutedOutgoingLink(_session, attach, this) { OnReleased = () => _relay = null };
            Volatile.Write(ref _relay, link.Outlet);
            _network.OnUplink(this);
            return link;
        });
        _session.BeginLink(
            NewAttach(Role.Receiver, _network.NodeId, DownlinkCapability),
            attach => new RoutedIncomingLink(_session, attach, RoutedSender.Router));
    }

    /// <summary>The router wants a link for an address, or no longer.</summary>
    public void OnWant(in RoutedEvent wish)
    {
        string address = System.Text.Encoding.UTF8.GetString(wish.Bytes!);
        (string Address, Role Role) key = (address, wish.Count == 1 ? Role.Sender : Role.Receiver);
        bool isNew = wish.Flag ? _wanted.Add(key) : _wanted.Remove(key);
        if (!isNew)
        {
            return;
        }

        if (!_links.TryGetValue(key, out Link? link))
        {
            if (wish.Flag && _begun.Add(key))
            {
                _session!.BeginLink(NewAttach(key.Role, address, null), attach => Make(key, attach));
            }
        }
        else if (link is RoutedOutgoingLink outgoing)
        {
            // What a sender that is gone had sent still goes out.
            outgoing.EndWhenIdle(!wish.Flag);
        }
        else if (!wish.Flag)
        {
            link.Session.Detach(link, error: null);
        }
    }

    /// <summary>The connection is over.</summary>
    public void OnConnectionOver() => _network.OnUplinkLost(this);

    private Link Make((string Address, Role Role) key, Attach attach)
    {
        _begun.Remove(key);
        Link link = attach.Role == Role.Sender ? MakeIncoming(key, attach) : MakeOutgoing(key, attach);
        _links[key] = link;
        if (_wanted.Add(key))
        {
            // It was wanted when it was begun, and is not any more.
            Want(key.Address, key.Role == Role.Sender, isWanted: false);
        }

        return link;
    }

    private RoutedIncomingLink MakeIncoming((string Address, Role Role) key, Attach attach)
    {
        var link = new RoutedIncomingLink(_session!, attach, RoutedSender.Uplink) { OnReleased = () => Forget(key) };
        link.SetUplinkAddress(key.Address);
        return link;
    }

    private RoutedOutgoingLink MakeOutgoing((string Address, Role Role) key, Attach attach)
    {
        RoutedOutgoingLink? link = null;
        link = new RoutedOutgoingLink(_session!, attach, this)
        {
            OnCredit = any => _network.OnUplinkOutlet(this, key.Address, any ? link!.Outlet : null),
            OnReleased = () =>
            {
                Forget(key);
                _network.OnUplinkOutlet(this, key.Address, null);
            },
        };
        return link;
    }

    // A link that ended although it is wanted is begun anew with the next wish.
    private void Forget((string Address, Role Role) key)
    {
        _links.Remove(key);
        _wanted.Remove(key);
    }

    private Attach NewAttach(Role role, string? address, string? capability)
    {
        string[]? capabilities = capability is null ? null : [capability];
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
                Capabilities = capabilities,
            },
            InitialDeliveryCount = role == Role.Sender ? 0 : null,
        };
    }
}
