using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Simulation.Tests;

/// <summary>A client inside the node that works in transactions: publishes to several queues and accepts from one, all
/// or nothing.</summary>
internal sealed class SimTransactor : IClientEvents, IWakeable
{
    private readonly SimNode _node;
    private readonly Ledger _ledger;
    private readonly IRandom _random;
    private readonly BrokerClient _client;
    private readonly string[] _queues;
    private readonly Producer[] _producers;
    private readonly int[] _credit;
    private readonly int[] _sequences;
    private readonly int _number;
    private readonly List<(Delivery Delivery, Fate Fate)> _held = [];
    private readonly List<(Delivery Delivery, Fate Fate)> _staged = [];
    private Transaction? _transaction;
    private Group? _group;
    private bool _isDischarging;
    private int _told;

    public SimTransactor(SimNode node, Ledger ledger, IRandom random, string[] queues, int number)
    {
        _node = node;
        _ledger = ledger;
        _random = random;
        _queues = queues;
        _number = number;
        _client = node.Broker.Connect(
            new ClientInfo { Identity = Identity.Anonymous, ClientId = "transactor-" + number, Protocol = "test" },
            this);
        Array.ForEach(queues, queue => _client.ResolveQueue(new AddressName(queue, null), RoutingType.Anycast));
        _producers = [.. queues.Select(queue => _client.OpenProducer(new ProducerOptions { Address = queue }))];
        _credit = new int[queues.Length];
        _sequences = new int[queues.Length];
        Queue = queues[random.Next(queues.Length)];
        Consumer consumer = _client.OpenConsumer(new ConsumerOptions { Queue = Queue });
        _client.Grant(consumer, 5 + random.Next(20));
        _client.Flush();
    }

    /// <summary>Where it consumes.</summary>
    public string Queue { get; }

    public bool IsAlive { get; private set; } = true;

    public override string ToString() => $"transactor {_number} of {Queue}";

    /// <summary>Hears what the core has to tell; false when there was nothing.</summary>
    public bool Pass()
    {
        if (!IsAlive || !_client.HasEvents)
        {
            return false;
        }

        int before = _told;
        _client.DrainInbox(this);
        _client.Flush();
        return _told != before;
    }

    public void Act()
    {
        if (!IsAlive || _isDischarging)
        {
            return;
        }

        if (_transaction is null)
        {
            _transaction = _client.Begin();
            _group = _ledger.Begun();
        }

        switch (_random.Next(4))
        {
            case 0 when _held.Count > 0:
                Accept();
                break;
            case 1 when _group!.Published.Count > 0:
                Discharge();
                break;
            default:
                Publish();
                break;
        }

        _client.Flush();
    }

    /// <summary>Goes; what is open rolls back.</summary>
    public void Leave()
    {
        _client.Dispose();
        End();
    }

    /// <summary>The node has died, or it left.</summary>
    public void End()
    {
        if (IsAlive && _group is { End: GroupEnd.Open } group)
        {
            group.End = GroupEnd.RolledBack;
        }

        IsAlive = false;
    }

    public void Wake()
    {
    }

    public void OnDelivery(in Delivery delivery)
    {
        Fate fate = _ledger.Identify(Body(delivery));
        _ledger.Deliver(fate, Queue, this);
        _held.Add((delivery, fate));
        _told++;
    }

    public void OnProducerCredit(Producer producer, int credit)
    {
        _credit[Array.IndexOf(_producers, producer)] += credit;
        _told++;
    }

    public void OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        Group group = _group!;
        bool committed = error is null && group.End == GroupEnd.Unknown;
        if (committed)
        {
            group.End = GroupEnd.Committed;
        }
        else if (!_node.IsFailing)
        {
            // With a failing disk the commit may have reached it or not.
            group.End = GroupEnd.RolledBack;
        }

        foreach (Fate fate in group.Published)
        {
            fate.IsAcknowledged = committed;
        }

        foreach ((Delivery delivery, Fate fate) in _staged)
        {
            fate.IsAccepted = group.End != GroupEnd.RolledBack || (fate.IsAccepted && _node.IsFailing);
            fate.IsConsumed = committed;
            if (committed)
            {
                fate.Holder = null;
            }
            else
            {
                _held.Add((delivery, fate));
            }
        }

        _staged.Clear();
        _transaction = null;
        _group = null;
        _isDischarging = false;
        _told++;
    }

    public void OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
    }

    public void OnDrained(Consumer consumer, int unusedCredit)
    {
    }

    public void OnSettled(ulong tag)
    {
    }

    public void OnConsumerClosed(Consumer consumer, BrokerException reason) => Closed(reason);

    public void OnProducerClosed(Producer producer, BrokerException reason) => Closed(reason);

    public void OnCloseRequested(BrokerException reason) => Closed(reason);

    private void Closed(BrokerException reason) =>
        Violation.Unless(_node.IsFailing, $"the node closed a client: {reason.Message}");

    private void Accept()
    {
        (Delivery delivery, Fate fate) = _held[0];
        _held.RemoveAt(0);
        _staged.Add((delivery, fate));
        _group!.Accepted.Add(fate);
        _client.Settle(delivery, Outcome.Accepted, 0, _transaction);
        _client.Grant(delivery.Consumer, 1);
    }

    private void Publish()
    {
        int at = _random.Next(_producers.Length);
        if (_credit[at] == 0)
        {
            return;
        }

        _credit[at]--;
        Fate fate = _ledger.Sent(_queues[at], _number, _sequences[at]++, _group);
        byte[] payload = AmqpMessage.FromData(Ledger.Body(fate.Id, _random.Next(400))).ToArray();
        var header = new MessageHeader { Durable = true, Format = PayloadFormat.Amqp };
        _client.Publish(_producers[at], header, new ReadOnlySequence<byte>(payload), 0, null, _transaction);
    }

    private void Discharge()
    {
        bool fail = _random.Next(5) == 0;
        _group!.End = fail ? GroupEnd.RolledBack : GroupEnd.Unknown;
        if (!fail)
        {
            // From here on it may be consumed, whether we hear of it or not.
            _group.Accepted.ForEach(static fate => fate.IsAccepted = true);
        }

        _isDischarging = true;
        _client.Discharge(_transaction!, fail, 1);
    }

    private byte[] Body(in Delivery delivery)
    {
        if (!_client.TryRead(delivery, out MessageLease lease))
        {
            Task<MessageLease> read = _client.ReadAsync(delivery, CancellationToken.None).AsTask();
            Violation.Unless(read.IsCompleted, "a read of memory did not complete at once");
            lease = read.Result;
        }

        using (lease)
        {
            byte[] payload = lease.Large is { } large ? ReadLarge(large) : lease.Payload.ToArray();
            return AmqpMessage.Read(payload).Data.ToArray();
        }
    }

    private static byte[] ReadLarge(LargeBody large)
    {
        using (large)
        {
            byte[] bytes = new byte[large.Length];
            int at = 0;
            while (at < bytes.Length)
            {
                Task<int> read = large.ReadAsync(at, bytes.AsMemory(at), CancellationToken.None).AsTask();
                Violation.Unless(read.IsCompleted && read.Result > 0, "a read of memory did not complete at once");
                at += read.Result;
            }

            return bytes;
        }
    }
}
