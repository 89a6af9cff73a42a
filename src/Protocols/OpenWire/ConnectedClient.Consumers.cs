using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>Consumers and what they say about messages.</content>
internal sealed partial class ConnectedClient
{
    private readonly Dictionary<ConsumerId, ConsumerEndpoint> _consumers = [];

    private void OnConsumerInfo(ConsumerInfo info)
    {
        CheckSession(info.ConsumerId?.Connection, info.ConsumerId?.Session ?? 0);
        if (_consumers.ContainsKey(info.ConsumerId!))
        {
            return;
        }

        if (_consumers.Count >= Options.ConsumersMax)
        {
            throw OpenWireException.TooMany("consumers", Options.ConsumersMax);
        }

        Destination destination = info.Destination
            ?? throw new OpenWireException("a ConsumerInfo without destination");
        List<DestinationName> names = Remember(destination);
        var endpoint = new ConsumerEndpoint(info, Options);
        if (names.TrueForAll(name => name.IsAdvisory))
        {
            Listen(endpoint, names);
            return;
        }

        try
        {
            names.ForEach(name => OpenInlet(endpoint, name));
        }
        catch
        {
            CloseInlets(endpoint, countAttempts: false);
            throw;
        }

        _consumers[info.ConsumerId!] = endpoint;
        endpoint.Facts = [.. names.Select(name => AdvisoryTopics.Consumer(_space, info, name, _traits.Inbox))];
        foreach (AdvisoryFact fact in endpoint.Facts)
        {
            Tell(fact);
        }

        endpoint.Regulate(Client);
        endpoint.OwesEnd |= info.Browser && endpoint.Inlets.Count == 0;
        Enqueue(endpoint);
    }

    private void OpenInlet(ConsumerEndpoint endpoint, DestinationName name)
    {
        if (name.IsAdvisory)
        {
            throw DestinationName.Invalid("advisory topics go with no others in one consumer");
        }

        if (name.Destination.IsTemporary && !_temporaries.ContainsKey(name.Destination))
        {
            throw DestinationName.Invalid(
                $"{name.Destination.PhysicalName} is another connection's: only its maker consumes from it");
        }

        if (name.IsWildcard && !name.Destination.IsTopic && Client.FindQueue(name.Name.Address) is null)
        {
            QueueWatch watch = Client.WatchQueues(name.Name.Address, out IReadOnlyList<string> queues);
            watch.Tag = endpoint;
            endpoint.Watches.Add(watch);
            foreach (string queue in queues)
            {
                OpenMatching(endpoint, queue);
            }

            return;
        }

        Open(endpoint, name, new SubscriptionResolver(Client, _clientId).Resolve(endpoint.Info, name));
    }

    // A queue that a wildcard matches; one that the user may not have, or that takes no more consumers, is left out.
    private void OpenMatching(ConsumerEndpoint endpoint, string queue)
    {
        try
        {
            if (endpoint.Inlets.Count >= Options.WildcardQueuesMax)
            {
                throw new BrokerException(
                    BrokerError.ResourceLimitExceeded, $"it has {Options.WildcardQueuesMax} queues already");
            }

            Open(endpoint, DestinationName.OfQueue(queue), SubscriptionResolver.OptionsOf(endpoint.Info, queue));
        }
        catch (BrokerException refusal) when (refusal.Error is BrokerError.Unauthorized or BrokerError.NotFound
            or BrokerError.ResourceLocked or BrokerError.ResourceLimitExceeded)
        {
            Log.QueueLeftOut(_environment.Logger, queue, endpoint.Info.ConsumerId!.ToString(), refusal.Message);
        }
    }

    private void Open(ConsumerEndpoint endpoint, DestinationName name, ConsumerOptions options)
    {
        Consumer consumer = Client.OpenConsumer(options);
        var inlet = new Inlet(endpoint, consumer, name);
        consumer.Tag = inlet;
        endpoint.Inlets.Add(inlet);
    }

    private void RemoveConsumer(ConsumerId id, long lastDelivered)
    {
        if (_consumers.Remove(id, out ConsumerEndpoint? endpoint))
        {
            CountSeen(endpoint, lastDelivered);
            Close(endpoint, countAttempts: _traits.Version < 5 || lastDelivered == RemoveInfo.LastDeliveredUnknown);
        }
    }

    // What the application has seen and not acknowledged counts as an attempt; what only lay at the client does not.
    private void CountSeen(ConsumerEndpoint endpoint, long lastDelivered)
    {
        for (int i = 0; i < endpoint.Unacked.Count && lastDelivered > 0; i++)
        {
            ref Unacked item = ref endpoint.Unacked[i];
            if (!item.IsDone && item.Transaction is null && item.Sequence <= lastDelivered)
            {
                Client.Settle(item.Delivery, Outcome.Failed);
            }
        }
    }

    private void CloseConsumers()
    {
        foreach (ConsumerEndpoint endpoint in _consumers.Values)
        {
            Close(endpoint, countAttempts: true);
        }

        _consumers.Clear();
    }

    private void Close(ConsumerEndpoint endpoint, bool countAttempts)
    {
        endpoint.IsClosed = true;
        Untell(endpoint.Facts);
        if (endpoint.Listener is { } listener)
        {
            _environment.Advisories.Unsubscribe(listener);
        }

        // What was never written to the client counts for nothing.
        while (endpoint.PendingCount > 0 && !endpoint.IsReading)
        {
            Client.Settle(endpoint.NextDelivery, Outcome.Released);
            endpoint.DropDelivery();
        }

        CloseInlets(endpoint, countAttempts);
    }

    private void CloseInlets(ConsumerEndpoint endpoint, bool countAttempts)
    {
        foreach (Inlet inlet in endpoint.Inlets)
        {
            Client.CloseConsumer(inlet.Consumer, countAttempts);
        }

        endpoint.Inlets.Clear();
        endpoint.Watches.ForEach(Client.EndWatch);
        endpoint.Watches.Clear();
    }

    private void OnRemoveSubscription(RemoveSubscriptionInfo info)
    {
        CheckConnection(info.ConnectionId?.Value);
        // A durable subscription is its client's own, whatever client id the command names.
        string name = SubscriptionResolver.DurableName(_clientId, info.SubscriptionName ?? "");
        Client.DeleteQueue(name, ifUnused: true);
    }

    private void OnConsumerControl(ConsumerControl control)
    {
        if (control.ConsumerId is null || !_consumers.TryGetValue(control.ConsumerId, out ConsumerEndpoint? endpoint))
        {
            return;
        }

        if (control.Close)
        {
            RemoveConsumer(control.ConsumerId, RemoveInfo.LastDeliveredUnknown);
            return;
        }

        endpoint.SetPrefetch(control.Prefetch);
        endpoint.Regulate(Client);
        Enqueue(endpoint);
    }

    private void OnPull(MessagePull pull)
    {
        if (pull.ConsumerId is null || !_consumers.TryGetValue(pull.ConsumerId, out ConsumerEndpoint? endpoint))
        {
            throw new OpenWireException(ThrowableNames.IllegalState, $"there is no consumer {pull.ConsumerId}")
            {
                IsCommandOnly = true,
            };
        }

        if (!endpoint.IsPulling || endpoint.Room > 0)
        {
            return;
        }

        endpoint.GiveRoom(1);
        endpoint.Regulate(Client);
        if (pull.TimeoutMs < 0)
        {
            endpoint.DrainAll(Client);
        }
        else if (pull.TimeoutMs > 0)
        {
            endpoint.PullDeadlineMs = SteadyMs + Math.Min(pull.TimeoutMs, int.MaxValue);
            PullDeadlineMs = Math.Min(PullDeadlineMs, endpoint.PullDeadlineMs);
        }

        Enqueue(endpoint);
    }

    /// <summary>When the next wait of a consumer is over, by the steady clock.</summary>
    public long PullDeadlineMs { get; private set; } = long.MaxValue;

    /// <summary>Some waits may be over.</summary>
    public void EndPulls()
    {
        PullDeadlineMs = long.MaxValue;
        foreach (ConsumerEndpoint endpoint in _consumers.Values)
        {
            if (endpoint.PullDeadlineMs <= SteadyMs)
            {
                endpoint.PullDeadlineMs = long.MaxValue;
                endpoint.DrainAll(Client);
                Enqueue(endpoint);
            }

            PullDeadlineMs = Math.Min(PullDeadlineMs, endpoint.PullDeadlineMs);
        }
    }

    // True: it may be answered at once; false: when the settlement is on disk.
    private bool OnAck(MessageAck ack)
    {
        OpenTransaction? transaction = _transactions.Find(ack.TransactionId);
        if (ack.ConsumerId is null || !_consumers.TryGetValue(ack.ConsumerId, out ConsumerEndpoint? endpoint))
        {
            return IsLostAck(transaction, ack);
        }

        if (endpoint.Listener is not null || ack.LastMessageId is null)
        {
            return true;
        }

        int last = endpoint.Unacked.Find(ack.LastMessageId);
        if (last < 0)
        {
            return IsLostAck(transaction, ack);
        }

        if (transaction is not null)
        {
            transaction.Consumers.Add(endpoint);
        }

        ulong tag = ack.ResponseRequired && transaction is null ? SettlementTag.Of(ack.CommandId) : 0;
        bool isAnswered = !Acknowledge(endpoint, ack, last, transaction, tag);
        endpoint.Regulate(Client);
        Enqueue(endpoint);
        return isAnswered;
    }

    // Outside of a transaction the message simply comes again; inside, the transaction must not go on without it.
    private static bool IsLostAck(OpenTransaction? transaction, MessageAck ack)
    {
        if (transaction is null || (AckType)ack.AckType is AckType.Delivered or AckType.Redelivered)
        {
            return true;
        }

        var failure = new BrokerException(
            BrokerError.TransactionRollback,
            $"the acknowledgement of {ack.LastMessageId} names no message that this connection was sent");
        transaction.Transaction.Fail(failure);
        throw failure;
    }

    // True: a settlement bears the tag, and its end is told.
    private bool Acknowledge(
        ConsumerEndpoint endpoint, MessageAck ack, int last, OpenTransaction? transaction, ulong tag)
    {
        var type = (AckType)ack.AckType;
        if (type == AckType.Redelivered)
        {
            return false;
        }

        bool isRange = type is AckType.Standard or AckType.Poison or AckType.Unmatched or AckType.Delivered;
        int first = !isRange ? last : ack.FirstMessageId is null ? 0 : endpoint.Unacked.Find(ack.FirstMessageId);
        first = first < 0 || first > last ? 0 : first;
        int told = FirstFree(endpoint, first, last);
        // From behind, for finishing shortens the list from its front.
        for (int i = last; i >= first; i--)
        {
            ref Unacked item = ref endpoint.Unacked[i];
            if (item.IsDone || item.Transaction is not null)
            {
                continue;
            }

            if (!item.IsRoomGiven)
            {
                item.IsRoomGiven = true;
                GiveRoom(endpoint);
            }

            if (type == AckType.Delivered)
            {
                continue;
            }

            Client.Settle(item.Delivery, OutcomeOf(type, ack), i == told ? tag : 0, transaction?.Transaction);
            if (transaction is { Transaction.IsOverfull: true })
            {
                throw new OpenWireException("the transaction has more acknowledgements than fit into it");
            }

            if (transaction is not null)
            {
                item.Transaction = transaction;
            }
            else
            {
                endpoint.Unacked.Finish(i);
            }
        }

        return tag != 0 && told >= 0 && type != AckType.Delivered;
    }

    // The first that is neither acknowledged nor held by a transaction; -1: there is none.
    private static int FirstFree(ConsumerEndpoint endpoint, int first, int last)
    {
        for (int i = first; i <= last; i++)
        {
            if (endpoint.Unacked[i] is { IsDone: false, Transaction: null })
            {
                return i;
            }
        }

        return -1;
    }

    private static void GiveRoom(ConsumerEndpoint endpoint)
    {
        if (!endpoint.IsPulling)
        {
            endpoint.GiveRoom(1);
        }
    }

    private Outcome OutcomeOf(AckType type, MessageAck ack) => type switch
    {
        AckType.Poison => new Outcome(OutcomeKind.Rejected, Reason: ReasonOf(ack)),
        AckType.Expired => Outcome.Released with { Expired = true, Reason = "expired at the client" },
        AckType.Standard or AckType.Individual or AckType.Unmatched => Outcome.Accepted,
        _ => throw new OpenWireException($"there is no acknowledgement of type {ack.AckType}"),
    };

    private string? ReasonOf(MessageAck ack)
    {
        string? reason = ack.PoisonCause?.Message ?? ack.PoisonCause?.ClassName;
        return reason is null ? null : reason[..Math.Min(reason.Length, Options.ReasonCharsMax)];
    }
}
