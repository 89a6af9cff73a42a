using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Simulation.Tests;

/// <summary>An AMQP client on a simulated connection, with the node's own client engine, which is pure.</summary>
internal abstract class SimPeer
{
    private readonly ByteQueue _received = new();
    private bool _hasBegun;

    protected SimPeer(SimNode node, Ledger ledger, IRandom random, string name)
    {
        Node = node;
        Ledger = ledger;
        Random = random;
        Client = new ClientConnection(new ClientOptions
        {
            ContainerId = name,
            Random = random,
            FrameBytesMax = 512 << random.Next(5),
            IncomingWindow = (uint)(2 + random.Next(100)),
        });
        Connection = node.Accept();
        Client.Start();
    }

    /// <summary>Whether the connection is of use.</summary>
    public bool IsAlive { get; private set; } = true;

    protected SimNode Node { get; }

    protected Ledger Ledger { get; }

    protected IRandom Random { get; }

    protected ClientConnection Client { get; }

    private SimConnection Connection { get; }

    /// <summary>Moves bytes both ways; false when nothing moved. Checks: the node ends no connection without
    /// cause.</summary>
    public bool Move()
    {
        if (!IsAlive)
        {
            return false;
        }

        Client.Flush();
        bool moved = Connection.MoveToPeer(_received, Random);
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

        if (Client.State == ClientState.Closed || Connection.IsCutByNode)
        {
            Violation.Unless(
                Node.IsFailing || IsClosing,
                $"the node ended a connection: {Client.State} {Client.Error?.Condition} {Client.Error?.Description}");
            Die(rudely: false);
            return true;
        }

        return Connection.MoveToNode(Client.Output, Random) || moved;
    }

    /// <summary>Goes, politely or not.</summary>
    public void Leave()
    {
        if (IsAlive && Client.State == ClientState.Open && Random.Next(2) == 0)
        {
            IsClosing = true;
            OnClosing();
            Client.Close();
        }
        else
        {
            Die(Random.Next(2) == 0);
        }
    }

    /// <summary>The node has died: nothing more comes.</summary>
    public void Forget() => IsAlive = false;

    /// <summary>Does something that such a client does.</summary>
    public abstract void Act();

    protected bool IsClosing { get; private set; }

    /// <summary>What it holds unsettled may go to others from now on.</summary>
    protected virtual void OnClosing()
    {
    }

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
            throw new Violation($"the node broke the protocol: {e.Condition} {e.Message}");
        }
    }

    private void Die(bool rudely)
    {
        if (IsAlive)
        {
            IsAlive = false;
            Connection.Cut(rudely);
        }
    }
}

/// <summary>Sends durable messages to a queue and notes which were acknowledged.</summary>
internal sealed class SimSender : SimPeer, ISenderEvents
{
    private readonly string _queue;
    private readonly int _number;
    private ClientSender? _link;
    private readonly Dictionary<uint, Fate> _underWay = [];
    private int _sequence;

    public SimSender(SimNode node, Ledger ledger, IRandom random, string queue, int number)
        : base(node, ledger, random, "sender-" + number)
    {
        _queue = queue;
        _number = number;
    }

    protected override void Begin(ClientSession session) =>
        _link = session.AttachSender("link", new Target { Address = _queue }, SenderSettleMode.Unsettled, this);

    /// <summary>Outcomes that are still open.</summary>
    public int UnderWay => _underWay.Count;

    public override void Act()
    {
        for (int i = 1 + Random.Next(8); i > 0 && IsAlive && !IsClosing && _link is { CanSend: true }; i--)
        {
            Fate fate = Ledger.Sent(_queue, _number, _sequence++);
            int lengthMax = Random.Next(20) switch { 0 => 40_000, < 4 => 3000, _ => 200 };
            byte[] message = new AmqpMessage
            {
                Header = new HeaderSection { Durable = true },
                BodyKind = BodyKind.Data,
                Data = Ledger.Body(fate.Id, Random.Next(lengthMax)),
            }.ToArray();
            _underWay.Add(_link.Send(message, settled: false), fate);
        }
    }

    public void OnSettled(ClientSender sender, uint first, uint last, in DeliveryOutcome outcome)
    {
        for (uint id = first; id != last + 1; id++)
        {
            bool known = _underWay.Remove(id, out Fate? fate);
            Violation.Unless(known, $"an outcome for delivery {id}, which is not under way");
            fate!.IsAcknowledged = outcome.Kind == DeliveryStateKind.Accepted;
            Ledger.Note(fate, outcome.Kind.ToString());
            bool isExpected = fate.IsAcknowledged || Node.IsFailing || Node.IsFull;
            Violation.Unless(isExpected, $"{fate} was not accepted: {outcome.Kind}");
        }
    }
}

/// <summary>Receives, and settles as real consumers do. Checks the order per producer.</summary>
internal sealed class SimReceiver : SimPeer, IReceiverEvents
{

    private readonly string _queue;
    private ClientReceiver? _link;
    private readonly List<(uint DeliveryId, Fate Fate)> _unsettled = [];
    private readonly Dictionary<int, int> _lastOf = [];
    private readonly bool _drains;
    private readonly int _number;

    public SimReceiver(SimNode node, Ledger ledger, IRandom random, string queue, int number, bool drains = false)
        : base(node, ledger, random, "receiver-" + number)
    {
        _number = number;
        _queue = queue;
        _drains = drains;
    }

    /// <summary>Where it consumes.</summary>
    public string Queue => _queue;

    /// <summary>Set when messages of this queue went back: until all is quiet their order is not what it was.</summary>
    public required Disorder Disorder { get; init; }

    public override string ToString() => $"receiver {_number} of {_queue}";

    public override void Act()
    {
        for (int i = Random.Next(8); i > 0 && _unsettled.Count > 0 && IsAlive && !IsClosing; i--)
        {
            int at = Random.Next(_unsettled.Count);
            (uint id, Fate fate) = _unsettled[at];
            _unsettled.RemoveAt(at);
            Settle(id, fate);
        }
    }

    protected override void Begin(ClientSession session)
    {
        _link = session.AttachReceiver("link", new Source { Address = _queue }, SenderSettleMode.Unsettled, this);
        _link.KeepCredit(_drains ? 1000 : 1 + (uint)Random.Next(50));
    }

    public void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery)
    {
        AmqpMessage message = AmqpMessage.Read(delivery.Message);
        Fate fate = Ledger.Identify(message.Data.Span);
        if (IsClosing)
        {
            // Was on its way when we said that we go: the node has taken it back.
            return;
        }

        bool isFirst = fate.Seen == 0 && message.Header?.DeliveryCount == 0;
        Ledger.Deliver(fate, _queue, this);
        if (_drains)
        {
            fate.Found++;
        }

        CheckOrder(fate, isFirst);
        _unsettled.Add((delivery.DeliveryId, fate));
    }

    // Check: first deliveries of one producer's messages come in the order of sending.
    private void CheckOrder(Fate fate, bool isFirst)
    {
        if (Disorder.Is(_queue))
        {
            _lastOf.Clear();
            return;
        }

        if (isFirst && _queue == fate.Queue)
        {
            bool inOrder = !_lastOf.TryGetValue(fate.Producer, out int last) || last < fate.Sequence;
            Violation.Unless(inOrder, $"{fate} came after number {last} of the same producer");
            _lastOf[fate.Producer] = fate.Sequence;
        }
    }

    protected override void OnClosing()
    {
        Disorder.Begins(_queue);
        _unsettled.ForEach(static held => held.Fate.Holder = null);
    }

    private void Settle(uint id, Fate fate)
    {
        int outcome = _drains ? 0 : Random.Next(20);
        Ledger.Note(fate, $"settled ({outcome})");
        switch (outcome)
        {
            case 19:
                fate.IsRejected = true;
                _link!.Settle(id, DeliveryStateKind.Rejected);
                break;
            case 18 or 17:
                Disorder.Begins(_queue);
                fate.Holder = null;
                _link!.Settle(id, DeliveryStateKind.Released);
                break;
            case 16 or 15:
                Disorder.Begins(_queue);
                fate.Holder = null;
                _link!.Settle(id, DeliveryStateKind.Modified);
                break;
            default:
                fate.IsAccepted = true;
                _link!.Settle(id, DeliveryStateKind.Accepted);
                break;
        }
    }
}

/// <summary>Which queues had messages come back since all was quiet.</summary>
internal sealed class Disorder
{
    private readonly HashSet<string> _queues = [];

    public bool Is(string queue) => _queues.Contains(queue);

    public void Begins(string queue) => _queues.Add(queue);

    public void Ends() => _queues.Clear();
}
