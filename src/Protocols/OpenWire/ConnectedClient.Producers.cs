using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Producers;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>Producers, sends and temporary destinations.</content>
internal sealed partial class ConnectedClient
{
    // Destinations that the connection remembers the meaning of.
    private const int RememberedMax = 256;

    // The broker tells the end of every send with this tag; which one it is, the order says.
    private const ulong SendTag = 1;

    private readonly Dictionary<ProducerId, ProducerEndpoint> _producers = [];
    private readonly Dictionary<Destination, List<DestinationName>> _remembered = [];
    private readonly Dictionary<Destination, AdvisoryFact> _temporaries = [];
    private readonly SendReports _sends = new();
    private Outlet? _relay;
    private Outlet? _heldBy;

    // A producer has used up its credit: the broker, or its disk, is behind.
    private bool IsProducerHeldBack => _heldBy is { Credit: <= 0 };

    private void OnProducerInfo(ProducerInfo info)
    {
        CheckSession(info.ProducerId?.Connection, info.ProducerId?.Session ?? 0);
        if (_producers.ContainsKey(info.ProducerId!))
        {
            return;
        }

        if (_producers.Count >= Options.ProducersMax)
        {
            throw OpenWireException.TooMany("producers", Options.ProducersMax);
        }

        List<DestinationName>? names = info.Destination is null ? null : Remember(info.Destination);
        if (names is not null && names.Exists(name => name.IsWildcard && !name.IsAdvisory))
        {
            throw DestinationName.Invalid("nothing can be sent to a wildcard");
        }

        bool isPlain = names is { Count: 1 } && !names[0].Destination.IsTemporary && !names[0].IsAdvisory;
        AdvisoryFact[] facts =
            [.. (names ?? []).Select(name => AdvisoryTopics.Producer(_space, info, name, _traits.Inbox))];
        _producers[info.ProducerId!] = new ProducerEndpoint(info)
        {
            Memory = _traits.IsFaultTolerant ? Client.RememberProducer(info.ProducerId!.ToString()) : null,
            Own = isPlain ? OpenOutlet(names![0], info.ProducerId) : null,
            Destination = isPlain ? info.Destination : null,
            Facts = facts,
        };
        Array.ForEach(facts, Tell);
    }

    private void RemoveProducer(ProducerId id)
    {
        if (_producers.Remove(id, out ProducerEndpoint? producer))
        {
            Untell(producer.Facts);
            if (producer.Memory is { } memory)
            {
                Client.ForgetProducer(memory);
            }

            if (producer.Own is { } own)
            {
                Client.CloseProducer(own.Producer);
                _heldBy = _heldBy == own ? null : _heldBy;
            }
        }
    }

    private Outlet OpenOutlet(DestinationName? name, ProducerId? id)
    {
        Producer producer = Client.OpenProducer(new ProducerOptions
        {
            Address = name?.Name.ToString(),
            RoutingType = name?.RoutingType,
            Name = id?.ToString() ?? "",
        });
        var outlet = new Outlet(producer);
        producer.Tag = outlet;
        return outlet;
    }

    private List<DestinationName> Remember(Destination destination)
    {
        if (!_remembered.TryGetValue(destination, out List<DestinationName>? names))
        {
            names = DestinationName.ParseAll(destination, Options.CompositeMax);
            if (_remembered.Count >= RememberedMax)
            {
                _remembered.Clear();
            }

            _remembered[destination] = names;
        }

        return names;
    }

    private void OnMessage(Message message)
    {
        if (message.ProducerId is null || !_producers.TryGetValue(message.ProducerId, out ProducerEndpoint? producer))
        {
            throw new OpenWireException(ThrowableNames.IllegalState, $"there is no producer {message.ProducerId}")
            {
                IsCommandOnly = true,
            };
        }

        if (message.Destination is null || message.MessageId is null)
        {
            throw new OpenWireException("a message without destination or id");
        }

        OpenTransaction? transaction = _transactions.Find(message.TransactionId);
        MessageHeader header = OpenWireMessageMap.ToHeader(message, NowMs);
        var report = new SendReport
        {
            CommandId = message.CommandId,
            ResponseRequired = message.ResponseRequired,
            Producer = producer,
            Bytes = message.AccountedBytes,
        };
        if (IsRepeated(producer, message))
        {
            report.Parts = 1;
            _sends.Add(report);
            Client.Repeat((producer.Own ?? (_relay ??= OpenOutlet(null, null))).Producer, SendTag);
            return;
        }

        if (producer.Own is { } own && message.Destination == producer.Destination)
        {
            report.Parts = 1;
            _sends.Add(report);
            Publish(new Outgoing(own, message, header, transaction) { NumberedBy = producer.Memory });
            return;
        }

        List<DestinationName> names = Remember(message.Destination);
        names.ForEach(CheckSendable);
        report.Parts = names.Count;
        _sends.Add(report);
        Outlet relay = _relay ??= OpenOutlet(null, null);
        for (int i = 0; i < names.Count; i++)
        {
            Publish(new Outgoing(relay, message, header, transaction)
            {
                Relayed = names[i],
                // When the last one is on disk, all are.
                NumberedBy = i == names.Count - 1 ? producer.Memory : null,
            });
        }
    }

    // A client that has lost its connection sends again what was not answered; the node may have it all the same.
    // It may also send one twice on the new connection: what was under way, and what it kept of it.
    private bool IsRepeated(ProducerEndpoint producer, Message message)
    {
        if (!_traits.IsReconnect || !message.Persistent || producer.Memory is not { } memory)
        {
            return false;
        }

        long number = message.MessageId!.ProducerSequence;
        if (memory.Has(number) || number <= producer.LastNumber)
        {
            return true;
        }

        producer.LastNumber = message.TransactionId is null ? number : producer.LastNumber;
        return false;
    }

    private void CheckSendable(DestinationName name)
    {
        if (name.IsWildcard)
        {
            throw DestinationName.Invalid($"nothing can be sent to the wildcard {name.Destination}");
        }

        if (name.IsAdvisory)
        {
            throw DestinationName.Invalid("advisories are the node's to send");
        }

        // A temporary destination that has gone must not come back as one that stays.
        if (name.Destination.IsTemporary && !_environment.Advisories.IsThere(_space, name.Destination)
            && Client.FindQueue(name.Name.Address) is not { Temporary: true })
        {
            throw DestinationName.Invalid($"the temporary destination {name.Destination.PhysicalName} is gone");
        }
    }

    private void Publish(in Outgoing send)
    {
        Outlet outlet = send.Outlet;
        ReadOnlyMemory<byte> payload = _map.ToPayload(
            send.Message, send.Relayed?.Destination ?? send.Message.Destination!);
        outlet.Credit--;
        _heldBy = outlet.Credit <= 0 ? outlet : _heldBy;
        if (send.Relayed is not null)
        {
            outlet.Producer.RelayRoutingType = send.Relayed.RoutingType;
        }

        if (payload.Length >= Options.LargeMessageBytesMin)
        {
            PublishLarge(send, payload);
            return;
        }

        send.Number();
        BrokerException? refusal = Client.Publish(
            outlet.Producer, send.Header, new ReadOnlySequence<byte>(payload), SendTag, send.To,
            send.Transaction?.Transaction);
        send.Transaction?.Transaction.Fail(refusal);
    }

    // Its bytes are on their way to a file; nothing further is read until they are there.
    private void PublishLarge(in Outgoing send, ReadOnlyMemory<byte> payload)
    {
        LargePublish large = Client.BeginLarge(send.Outlet.Producer);
        large.Append(new ReadOnlySequence<byte>(payload));
        _large.Enqueue(new LargeSend(large, send));
        FinishLarge();
    }

    private void FinishLarge()
    {
        while (_large.TryPeek(out LargeSend? large))
        {
            if (!large.Publish.Finish())
            {
                WaitFor(large.Publish.ReadyAsync(CancellationToken.None).AsTask(), FinishLarge);
                return;
            }

            _large.Dequeue();
            Outgoing send = large.Send;
            if (send.Outlet == _relay)
            {
                send.Outlet.Producer.RelayRoutingType = send.Relayed?.RoutingType;
            }

            send.Number();
            large.Publish.Complete(send.Header, SendTag, send.To, send.Transaction?.Transaction);
        }
    }

    private readonly Queue<LargeSend> _large = new();

    private sealed record LargeSend(LargePublish Publish, Outgoing Send);

    /// <summary>One message on its way to one destination.</summary>
    private readonly record struct Outgoing(
        Outlet Outlet, Message Message, MessageHeader Header, OpenTransaction? Transaction)
    {
        /// <summary>Of a message by the relay: where it goes.</summary>
        public DestinationName? Relayed { get; init; }

        /// <summary>What remembers its number; null: nothing.</summary>
        public ProducerMemory? NumberedBy { get; init; }

        public string? To => Relayed?.Name.ToString();

        public void Number()
        {
            if (NumberedBy is not null && Header.Durable)
            {
                Outlet.Producer.NumberNext(NumberedBy, Message.MessageId!.ProducerSequence);
            }
        }
    }

    private void OnDestinationInfo(DestinationInfo info)
    {
        CheckConnection(info.ConnectionId?.Value);
        Destination destination = info.Destination
            ?? throw new OpenWireException("a DestinationInfo without destination");
        DestinationName name = DestinationName.Parse(destination);
        if (info.Operation == DestinationInfo.Remove)
        {
            RemoveDestination(destination, name);
        }
        else if (destination.IsTemporary)
        {
            AddTemporary(info.ConnectionId!, destination, name);
        }
        else if (destination.Kind == DataType.Queue && !name.IsWildcard)
        {
            Client.ResolveQueue(name.Name, name.RoutingType);
        }
    }

    private void AddTemporary(ConnectionId connection, Destination destination, DestinationName name)
    {
        if (_temporaries.ContainsKey(destination))
        {
            return;
        }

        if (_temporaries.Count >= Options.TemporariesMax)
        {
            throw OpenWireException.TooMany("temporary destinations", Options.TemporariesMax);
        }

        if (!destination.IsTopic)
        {
            Client.CreateQueue(new QueueConfig
            {
                Name = name.Name.Address,
                Address = name.Name.Address,
                RoutingType = RoutingType.Anycast,
                Durable = false,
                Temporary = true,
                AutoCreated = true,
            });
        }

        AdvisoryFact fact = AdvisoryTopics.Temporary(_space, connection, destination, _traits.Inbox);
        _temporaries[destination] = fact;
        Tell(fact);
    }

    private void RemoveDestination(Destination destination, DestinationName name)
    {
        if (_temporaries.Remove(destination, out AdvisoryFact? fact))
        {
            Untell([fact]);
            DeleteTemporary(destination);
        }
        else if (destination.IsTemporary)
        {
            throw DestinationName.Invalid($"{destination.PhysicalName} is not this connection's");
        }
        else if (!destination.IsTopic)
        {
            // A topic is nothing that is kept: what there is of it are its subscriptions.

            Client.DeleteQueue(name.Name.Queue ?? name.Name.Address, ifUnused: true);
        }
    }

    private void RemoveTemporaries()
    {
        foreach (Destination destination in _temporaries.Keys)
        {
            DeleteTemporary(destination);
        }

        _temporaries.Clear();
    }

    private void DeleteTemporary(Destination destination)
    {
        try
        {
            if (!destination.IsTopic)
            {
                Client.DeleteQueue(destination.PhysicalName!, ifUnused: false);
            }
        }
        catch (BrokerException)
        {
            // An operator was quicker.
        }
    }
}
