using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>A client of a node, with the node's own client engine, which is pure.</summary>
internal abstract class RoutedPeer
{
    private readonly ByteQueue _received = new();
    private readonly SimConnection _connection;
    private readonly string _name;
    private bool _hasBegun;

    protected RoutedPeer(RoutedWorld world, RoutedNode node, string name)
    {
        (World, Node, _name) = (world, node, name);
        Client = new ClientConnection(new ClientOptions
        {
            ContainerId = name,
            Random = world.Random,
            FrameBytesMax = 512 << world.Random.Next(5),
            IncomingWindow = (uint)(2 + world.Random.Next(100)),
        });
        _connection = node.Accept();
        Client.Start();
    }

    public RoutedNode Node { get; }

    public bool IsAlive { get; private set; } = true;

    protected RoutedWorld World { get; }

    protected ClientConnection Client { get; }

    /// <summary>Moves bytes both ways; false when nothing moved.</summary>
    public bool Move()
    {
        if (!IsAlive)
        {
            return false;
        }

        Client.Flush();
        bool moved = _connection.MoveToPeer(_received, World.Random);
        int taken;
        while ((taken = Receive()) > 0)
        {
            _received.Take(taken);
            moved = true;
        }

        if (Client.State == ClientState.Open && !_hasBegun)
        {
            _hasBegun = true;
            Begin(Client.BeginSession());
        }

        if (Client.State == ClientState.Closed || _connection.IsCutByNode)
        {
            Violation.Unless(false, $"{Node.Id} ended the connection of {this}: {Client.Error?.Condition} "
                + $"{Client.Error?.Description}");
        }

        Client.Flush();
        return _connection.MoveToNode(Client.Output, World.Random) || moved;
    }

    /// <summary>Goes without a word.</summary>
    public virtual void Leave(bool rudely)
    {
        if (IsAlive)
        {
            IsAlive = false;
            _connection.Cut(rudely);
        }
    }

    /// <summary>The node has died.</summary>
    public virtual void Forget() => IsAlive = false;

    /// <summary>Does something that such a client does.</summary>
    public abstract void Act();

    public override string ToString() => $"{_name} at {Node.Id}";

    /// <summary>The connection is open: attaches.</summary>
    protected abstract void Begin(ClientSession session);

    private int Receive()
    {
        try
        {
            return Client.State == ClientState.Closed ? 0 : Client.Receive(_received.Bytes);
        }
        catch (AmqpException e)
        {
            throw new Violation($"{Node.Id} broke the protocol with {this}: {e.Condition} {e.Message}");
        }
    }
}

/// <summary>Sends to an address, and hears what becomes of it.</summary>
internal sealed class RoutedSender(RoutedWorld world, RoutedNode node, string name, string address, bool isPreSettled)
    : RoutedPeer(world, node, name), ISenderEvents
{
    private readonly Dictionary<uint, Attempt> _underWay = [];
    private ClientSender? _link;

    public string Address => address;

    public bool IsPreSettled => isPreSettled;

    /// <summary>Outcomes that are still open.</summary>
    public int UnderWay => _underWay.Count;

    public bool CanSend => IsAlive && _link is { CanSend: true };

    /// <summary>What holds it up.</summary>
    public string Describe() =>
        $"{this} (credit {_link?.Credit}, window {_link?.Session.TransferWindow}, under way {_underWay.Count}; "
        + $"{string.Join(' ', Node.Handler.Describe().Links.Where(l => l.Address == address))})";

    public override void Act()
    {
        for (int i = 1 + World.Random.Next(6); i > 0 && CanSend; i--)
        {
            Send();
        }
    }

    public void Send()
    {
        int bytes = World.Random.Next(20) switch { 0 => 30_000, < 4 => 2500, _ => 60 };
        Attempt attempt = World.Ledger.Send(this, address, isPreSettled, World.IsCalm, World.Random.Next(bytes));
        byte[] message = new AmqpMessage { BodyKind = BodyKind.Data, Data = RoutedLedger.Body(attempt) }.ToArray();
        uint id = _link!.Send(message, isPreSettled);
        if (!isPreSettled)
        {
            _underWay.Add(id, attempt);
        }
    }

    public void OnSettled(ClientSender sender, uint first, uint last, in DeliveryOutcome outcome)
    {
        for (uint id = first; id != last + 1; id++)
        {
            bool known = _underWay.Remove(id, out Attempt? attempt);
            Violation.Unless(known, $"an outcome for delivery {id} of {this}, which is not under way");
            RoutedLedger.Hear(attempt!, outcome.Kind);
        }
    }

    protected override void Begin(ClientSession session) => _link = session.AttachSender(
        "link", new Target { Address = address },
        isPreSettled ? SenderSettleMode.Settled : SenderSettleMode.Unsettled, this);
}

/// <summary>Draws from an address, and answers as real consumers do. Checks its credit, and, alone at its address, the
/// order while all is calm.</summary>
internal sealed class RoutedReceiver(
    RoutedWorld world, RoutedNode node, string name, string address, bool draws = true)
    : RoutedPeer(world, node, name), IReceiverEvents
{
    private readonly List<(uint Id, Arrival Arrival)> _unsettled = [];
    private Taken? _late;
    private readonly Dictionary<RoutedSender, int> _lastOf = [];
    private ClientReceiver? _link;

    public string Address => address;

    /// <summary>Whether the node has answered its attach.</summary>
    public bool IsAttached => _link is { State: LinkState.Attached };

    /// <summary>How many it has not answered.</summary>
    public int Open => _unsettled.Count;

    public override void Act()
    {
        TakeLate();
        for (int i = World.Random.Next(8); i > 0 && _unsettled.Count > 0 && IsAlive; i--)
        {
            Answer(World.Random.Next(_unsettled.Count));
        }

        // The client's engine refuses what comes beyond its credit.
        if (draws && IsAlive && _link is { State: LinkState.Attached, Credit: 0 })
        {
            _link.Grant((uint)(1 + World.Random.Next(40)));
        }
    }

    public void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery)
    {
        var taken = new Taken(
            delivery.DeliveryId, delivery.IsSettled, AmqpMessage.Read(delivery.Message).Data.ToArray());
        switch (World.Breach)
        {
            case RoutedBreach.Loss when !taken.IsSettled && World.Random.Next(10) == 0:
                _link!.Settle(taken.Id, DeliveryStateKind.Accepted);
                return;
            case RoutedBreach.Order when _late is null:
                _late = taken;
                return;
            case RoutedBreach.Repetition:
                World.Ledger.Arrive(this, taken.Body);
                break;
        }

        Take(taken);
        TakeLate();
    }

    private void TakeLate()
    {
        if (_late is { } late)
        {
            _late = null;
            Take(late);
        }
    }

    private void Take(in Taken taken)
    {
        Attempt attempt = World.Ledger.Arrive(this, taken.Body);
        Violation.Unless(
            taken.IsSettled == attempt.IsPreSettled, $"{this} got it settled: {taken.IsSettled}; {attempt}");
        // Of several receivers of an address each may get what another way has brought.
        if (attempt.IsCalm && World.Receivers.Count(other => other.Address == address) == 1)
        {
            bool isNext = !_lastOf.TryGetValue(attempt.Sender, out int last) || last < attempt.Id;
            Violation.Unless(isNext, $"{this} got {attempt} after message {last} of the same sender");
        }

        _lastOf[attempt.Sender] = attempt.Id;
        if (!taken.IsSettled)
        {
            _unsettled.Add((taken.Id, attempt.Arrivals[^1]));
        }
    }

    protected override void Begin(ClientSession session) => _link = session.AttachReceiver(
        "link", new Source { Address = address }, SenderSettleMode.Mixed, this);

    private void Answer(int at)
    {
        (uint id, Arrival arrival) = _unsettled[at];
        _unsettled.RemoveAt(at);
        arrival.Answer = World.Random.Next(20) switch
        {
            19 => DeliveryStateKind.Rejected,
            18 or 17 => DeliveryStateKind.Released,
            16 => DeliveryStateKind.Modified,
            _ => DeliveryStateKind.Accepted,
        };
        _link!.Settle(id, World.Breach == RoutedBreach.Outcome ? DeliveryStateKind.Accepted : arrival.Answer);
    }

    /// <summary>A message as it came.</summary>
    private readonly record struct Taken(uint Id, bool IsSettled, byte[] Body);
}
