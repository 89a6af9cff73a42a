using System.Buffers;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Simulation;

/// <summary>A client that does what the seed says and notes what it is told.</summary>
internal sealed class SimulatedClient : IClientEvents, IWakeable
{
    private readonly Ledger _ledger;
    private readonly SeededRandom _random;
    private readonly string _name;
    private readonly Dictionary<string, Producer> _producers = [];
    private readonly Dictionary<ulong, Sent> _publishing = [];
    private readonly Dictionary<ulong, Sent> _accepting = [];
    private readonly Dictionary<ulong, Trade> _ending = [];
    private readonly List<Delivery> _held = [];
    private readonly List<Consumer> _consumers = [];
    private Transaction? _transaction;
    private Trade? _trade;
    private ulong _tag;

    public SimulatedClient(MessageBroker broker, Ledger ledger, SeededRandom random, string name)
    {
        _ledger = ledger;
        _random = random;
        _name = name;
        Client = broker.Connect(
            new ClientInfo { Identity = Identity.Anonymous, ClientId = name, Protocol = "simulation" }, this);
    }

    public BrokerClient Client { get; }

    public static long Orders { get; set; }

    public void Act(string[] queues)
    {
        string queue = queues[_random.Next(queues.Length)];
        switch (_random.Next(12))
        {
            case 0 or 1 or 2:
                Publish(queue, inTransaction: false);
                break;
            case 3 when _transaction is not null:
                Publish(queue, inTransaction: true);
                break;
            case 4:
                Consume(_random.Next(6) == 0 ? "DLQ" : queue);
                break;
            case 5 or 6 or 7 when _held.Count > 0:
                Settle();
                break;
            case 8:
                BeginOrEnd();
                break;
            case 9 when _consumers.Count > 0 && _random.Next(4) == 0:
                CloseConsumer();
                break;
            case 10 when _consumers.Count > 0:
                Client.Grant(_consumers[_random.Next(_consumers.Count)], 1 + _random.Next(5));
                break;
            default:
                Pass();
                break;
        }
    }

    public void Pass()
    {
        Client.DrainInbox(this);
        Client.Flush();
    }

    public void OnDelivery(in Delivery delivery) => _held.Add(delivery);

    public void OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        if (error is null && _publishing.Remove(tag, out Sent? message))
        {
            message.IsAcknowledged = true;
        }
    }

    public void OnSettled(ulong tag)
    {
        if (_accepting.Remove(tag, out Sent? message))
        {
            message.IsAcceptConfirmed = true;
        }
    }

    public void OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (_ending.Remove(tag, out Trade? trade))
        {
            trade.IsCommitted = error is null && trade.IsCommitting;
        }
    }

    public void OnProducerCredit(Producer producer, int credit)
    {
    }

    public void OnDrained(Consumer consumer, int unusedCredit)
    {
    }

    public void OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
    }

    public void OnProducerClosed(Producer producer, BrokerException reason)
    {
    }

    public void OnCloseRequested(BrokerException reason)
    {
    }

    public void Wake()
    {
    }

    private void Publish(string queue, bool inTransaction)
    {
        if (!_producers.TryGetValue(queue, out Producer? producer))
        {
            _producers[queue] = producer = Client.OpenProducer(new ProducerOptions { Address = queue });
        }

        Sent message = new($"{_name}-{++Orders}", _name, queue)
        {
            Order = Orders,
            PublishedIn = inTransaction ? _trade
            : null
        };
        _ledger.Messages[message.Body] = message;
        byte[] payload = Encoding.UTF8.GetBytes(message.Body.PadRight(20 + _random.Next(300)));
        ulong tag = ++_tag;
        if (!inTransaction)
        {
            _publishing[tag] = message;
        }

        Client.Publish(
            producer, new MessageHeader { Durable = true }, new ReadOnlySequence<byte>(payload), tag,
            transaction: inTransaction ? _transaction : null);
    }

    private void Consume(string queue)
    {
        if (_consumers.Count < 3 && Client.FindQueue(queue) is not null)
        {
            Consumer consumer = Client.OpenConsumer(new ConsumerOptions { Queue = queue });
            _consumers.Add(consumer);
            Client.Grant(consumer, 1 + _random.Next(10));
        }
    }

    private void Settle()
    {
        int index = _random.Next(_held.Count);
        Delivery delivery = _held[index];
        _held.RemoveAt(index);
        if (delivery.Consumer.IsClosed || !_ledger.Messages.TryGetValue(BodyOf(delivery), out Sent? message))
        {
            return;
        }

        bool inTransaction = _transaction is not null && _random.Next(2) == 0;
        switch (_random.Next(6))
        {
            case 0:
                Client.Settle(delivery, Outcome.Released, transaction: inTransaction ? _transaction : null);
                break;
            case 1:
                Client.Settle(delivery, Outcome.Failed, transaction: inTransaction ? _transaction : null);
                break;
            case 2:
                Client.Settle(delivery, new Outcome(OutcomeKind.Rejected, Reason: "no"), transaction: inTransaction
                    ? _transaction : null);
                break;
            default:
                Accept(delivery, message, inTransaction);
                break;
        }
    }

    private void Accept(in Delivery delivery, Sent message, bool inTransaction)
    {
        if (inTransaction)
        {
            message.AcceptedIn = _trade;
            Client.Settle(delivery, Outcome.Accepted, transaction: _transaction);
            return;
        }

        message.IsAccepted = true;
        ulong tag = ++_tag;
        _accepting[tag] = message;
        Client.Settle(delivery, Outcome.Accepted, tag);
    }

    private void BeginOrEnd()
    {
        if (_transaction is null)
        {
            _transaction = Client.Begin();
            _trade = new Trade();
            return;
        }

        bool fail = _random.Next(4) == 0;
        ulong tag = ++_tag;
        _ending[tag] = _trade!;
        _trade!.IsCommitting = !fail;
        foreach (Sent message in _ledger.Messages.Values.Where(m => m.PublishedIn == _trade).OrderBy(m => m.Order))
        {
            message.Order = ++Orders;
        }

        Client.Discharge(_transaction, fail, tag);
        if (fail)
        {
            foreach (Sent message in _ledger.Messages.Values.Where(m => m.AcceptedIn == _trade))
            {
                message.AcceptedIn = null;
            }
        }

        (_transaction, _trade) = (null, null);
    }

    private void CloseConsumer()
    {
        int index = _random.Next(_consumers.Count);
        Client.CloseConsumer(_consumers[index], countAttempts: _random.Next(2) == 0);
        _consumers.RemoveAt(index);
    }

    private string BodyOf(in Delivery delivery)
    {
        MessageLease lease;
        if (!Client.TryRead(delivery, out lease))
        {
            lease = Client.ReadAsync(delivery, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        using (lease)
        {
            return Encoding.UTF8.GetString(lease.Payload.Span).TrimEnd();
        }
    }
}
