using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>From a consumer's destinations to the broker's consumers that it takes from, and their end.</summary>
internal sealed class InletOpener(
    OpenWireEnvironment environment, BrokerClient client, ClientTraits traits, RememberedNames names,
    DestinationCommands destinations, AdvisoryListeners listeners)
{
    private readonly SubscriptionResolver _resolver = new(client, traits.ClientId);

    private OpenWireOptions Options => environment.Options;

    /// <summary>The names of a consumer's destination.</summary>
    /// <exception cref="OpenWireException">It is none; the command alone fails.</exception>
    public List<DestinationName> NamesOf(ConsumerInfo info) =>
        names.Of(info.Destination ?? throw new OpenWireException("a ConsumerInfo without destination"));

    /// <summary>It hears of what advisory topics tell; it takes from no queue.</summary>
    public void Listen(ConsumerEndpoint endpoint, List<DestinationName> topics) => listeners.Listen(endpoint, topics);

    /// <summary>Opens all of a consumer, or none.</summary>
    /// <exception cref="OpenWireException">A destination is none for consumers; the command alone fails.</exception>
    /// <exception cref="BrokerException">It may not consume there.</exception>
    public void Open(ConsumerEndpoint endpoint, List<DestinationName> all)
    {
        try
        {
            all.ForEach(name => Open(endpoint, name));
        }
        catch
        {
            Close(endpoint, countAttempts: false);
            throw;
        }
    }

    /// <summary>A queue that a wildcard matches; one that the user may not have, or that takes no more consumers, is
    /// left out.</summary>
    public void OpenMatching(ConsumerEndpoint endpoint, string queue)
    {
        try
        {
            if (endpoint.Inlets.Count >= Options.WildcardQueuesMax)
            {
                throw new BrokerException(
                    BrokerError.ResourceLimitExceeded, $"it has {Options.WildcardQueuesMax} queues already");
            }

            Add(endpoint, DestinationName.OfQueue(queue), SubscriptionResolver.OptionsOf(endpoint.Info, queue));
        }
        catch (BrokerException refusal) when (refusal.Error is BrokerError.Unauthorized or BrokerError.NotFound
            or BrokerError.ResourceLocked or BrokerError.ResourceLimitExceeded)
        {
            Log.QueueLeftOut(environment.Logger, queue, endpoint.Info.ConsumerId!.ToString(), refusal.Message);
        }
    }

    /// <summary>It takes from none any more, and hears nothing. <paramref name="countAttempts"/>: what it has not
    /// acknowledged counts as tried.</summary>
    public void Close(ConsumerEndpoint endpoint, bool countAttempts)
    {
        listeners.Unlisten(endpoint);
        foreach (Inlet inlet in endpoint.Inlets)
        {
            client.CloseConsumer(inlet.Consumer, countAttempts);
        }

        endpoint.Inlets.Clear();
        endpoint.Watches.ForEach(client.EndWatch);
        endpoint.Watches.Clear();
    }

    private void Open(ConsumerEndpoint endpoint, DestinationName name)
    {
        if (name.IsAdvisory)
        {
            throw DestinationName.Invalid("advisory topics go with no others in one consumer");
        }

        if (name.Destination.IsTemporary && !destinations.IsOwn(name.Destination))
        {
            throw DestinationName.Invalid(
                $"{name.Destination.PhysicalName} is another connection's: only its maker consumes from it");
        }

        // A queue of virtual topics is one queue, whatever matches its topic.
        bool isOfMany = name.IsWildcard && !name.Destination.IsTopic && name.Name.Queue is null;
        if (isOfMany && client.FindQueue(name.Name.Address) is null)
        {
            QueueWatch watch = client.WatchQueues(name.Name.Address, out IReadOnlyList<string> queues);
            watch.Tag = endpoint;
            endpoint.Watches.Add(watch);
            foreach (string queue in queues)
            {
                OpenMatching(endpoint, queue);
            }

            return;
        }

        Add(endpoint, name, _resolver.Resolve(endpoint.Info, name));
    }

    private void Add(ConsumerEndpoint endpoint, DestinationName name, ConsumerOptions wanted)
    {
        Consumer consumer = client.OpenConsumer(wanted);
        var inlet = new Inlet(endpoint, consumer, name);
        consumer.Tag = inlet;
        endpoint.Inlets.Add(inlet);
    }
}
