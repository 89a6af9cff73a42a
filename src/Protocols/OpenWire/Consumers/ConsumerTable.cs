using Pillarbox.Broker;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>The consumers of a connection, from their ConsumerInfo to their end. Used by the connection's loop alone.
/// </summary>
internal sealed class ConsumerTable(
    BrokerClient client, ClientTraits traits, InletOpener inlets, ConnectionFacts facts, DispatchTurns turns,
    OpenWireOptions options)
{
    private readonly Dictionary<ConsumerId, ConsumerEndpoint> _consumers = [];

    /// <summary>Those that are there.</summary>
    public Dictionary<ConsumerId, ConsumerEndpoint>.ValueCollection All => _consumers.Values;

    /// <summary>The consumer of that id; null: there is none.</summary>
    public ConsumerEndpoint? Find(ConsumerId? id) => id is null ? null : _consumers.GetValueOrDefault(id);

    /// <summary>A consumer is made.</summary>
    /// <exception cref="OpenWireException">It is one too many, or its destination is none for consumers.</exception>
    /// <exception cref="BrokerException">It may not consume there.</exception>
    public void Open(ConsumerInfo info)
    {
        if (_consumers.ContainsKey(info.ConsumerId!))
        {
            return;
        }

        if (_consumers.Count >= options.ConsumersMax)
        {
            throw OpenWireException.TooMany("consumers", options.ConsumersMax);
        }

        List<DestinationName> all = inlets.NamesOf(info);
        var endpoint = new ConsumerEndpoint(info, options);
        if (all.TrueForAll(name => name.IsAdvisory))
        {
            _consumers[info.ConsumerId!] = endpoint;
            inlets.Listen(endpoint, all);
            return;
        }

        inlets.Open(endpoint, all);
        _consumers[info.ConsumerId!] = endpoint;
        endpoint.Facts = [.. all.Select(name => AdvisoryTopics.Consumer(traits.Space, info, name, traits.Inbox))];
        foreach (AdvisoryFact fact in endpoint.Facts)
        {
            facts.Tell(fact);
        }

        endpoint.Regulate(client);
        endpoint.OwesEnd |= info.Browser && endpoint.Inlets.Count == 0;
        turns.Enqueue(endpoint);
    }

    /// <summary>A consumer goes; <paramref name="lastDelivered"/> is the last that its application has seen. Of one
    /// that is not there nothing is said.</summary>
    public void Remove(ConsumerId id, long lastDelivered)
    {
        if (_consumers.Remove(id, out ConsumerEndpoint? endpoint))
        {
            CountSeen(endpoint, lastDelivered);
            Close(endpoint, countAttempts: traits.Version < 5 || lastDelivered == RemoveInfo.LastDeliveredUnknown);
        }
    }

    /// <summary>All of a session go.</summary>
    public void RemoveOf(long session, long lastDelivered)
    {
        foreach (ConsumerId consumer in _consumers.Keys.Where(id => id.Session == session).ToArray())
        {
            Remove(consumer, lastDelivered);
        }
    }

    /// <summary>The connection is over.</summary>
    public void CloseAll()
    {
        foreach (ConsumerEndpoint endpoint in _consumers.Values)
        {
            Close(endpoint, countAttempts: true);
        }

        _consumers.Clear();
    }

    /// <summary>The client has another prefetch, or closes a consumer.</summary>
    public void Control(ConsumerControl control)
    {
        if (Find(control.ConsumerId) is not { } endpoint)
        {
            return;
        }

        if (control.Close)
        {
            Remove(control.ConsumerId!, RemoveInfo.LastDeliveredUnknown);
            return;
        }

        endpoint.SetPrefetch(control.Prefetch);
        endpoint.Regulate(client);
        turns.Enqueue(endpoint);
    }

    /// <summary>A queue was made that a consumer waits for.</summary>
    public void OnQueueMade(ConsumerEndpoint endpoint, string queue)
    {
        if (!endpoint.IsClosed)
        {
            inlets.OpenMatching(endpoint, queue);
            endpoint.Regulate(client);
        }
    }

    /// <summary>The broker has closed an inlet: its queue is gone. True: with it its consumer, which the client is to
    /// be told.</summary>
    public bool OnClosed(Inlet inlet)
    {
        ConsumerEndpoint endpoint = inlet.Endpoint;
        if (endpoint.Watches.Count > 0)
        {
            // One of the queues that match has gone.
            endpoint.Forget(inlet);
            return false;
        }

        if (!_consumers.Remove(endpoint.Info.ConsumerId!))
        {
            return false;
        }

        Close(endpoint, countAttempts: false);
        return true;
    }

    /// <summary>A durable subscription is its client's own, whatever client id the command names.</summary>
    /// <exception cref="BrokerException">There is none, or it is in use.</exception>
    public void RemoveSubscription(RemoveSubscriptionInfo info) => client.DeleteQueue(
        SubscriptionResolver.DurableName(traits.ClientId, info.SubscriptionName ?? ""), ifUnused: true);

    // What the application has seen and not acknowledged counts as an attempt; what only lay at the client does not.
    private void CountSeen(ConsumerEndpoint endpoint, long lastDelivered)
    {
        for (int i = 0; i < endpoint.Unacked.Count && lastDelivered > 0; i++)
        {
            ref Unacked item = ref endpoint.Unacked[i];
            if (!item.IsDone && item.Transaction is null && item.Sequence <= lastDelivered)
            {
                client.Settle(item.Delivery, Outcome.Failed);
            }
        }
    }

    private void Close(ConsumerEndpoint endpoint, bool countAttempts)
    {
        endpoint.IsClosed = true;
        facts.Untell(endpoint.Facts);
        // What was never written to the client counts for nothing, nor does what is being read for it.
        while (endpoint.PendingCount > 0)
        {
            client.Settle(endpoint.NextDelivery, Outcome.Released);
            endpoint.DropDelivery();
        }

        inlets.Close(endpoint, countAttempts);
    }
}
