using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Routing;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>A connection's consumers of advisory topics, and what they are told. Used by the connection's loop alone.
/// </summary>
internal sealed class AdvisoryListeners(
    AdvisoryHub hub, BrokerClient client, ClientTraits traits, string brokerName, ILogger logger)
{
    // Advisories that wait for a peer that does not read.
    private const int AdvisoriesMax = 65_536;

    // Queues that are there when a listener comes, and of which it is told: it may not have read any yet.
    private const int QueuesToldMax = AdvisoriesMax / 2;

    /// <summary>A consumer hears of what these topics tell: what is there, and what changes.</summary>
    public void Listen(ConsumerEndpoint endpoint, List<DestinationName> names)
    {
        var listener = new AdvisoryListener(
            traits.Space, names.ConvertAll(name => name.Name.Address), traits.Inbox, endpoint.Info.NoLocal, endpoint);
        endpoint.Listener = listener;
        hub.Subscribe(listener);
        if (listener.Patterns.Any(pattern => AddressPattern.Matches(pattern, AdvisoryTopics.Queues)))
        {
            TellQueues(endpoint, listener);
        }
    }

    /// <summary>It hears no more.</summary>
    public void Unlisten(ConsumerEndpoint endpoint)
    {
        if (endpoint.Listener is { } listener)
        {
            hub.Unsubscribe(listener);
        }
    }

    /// <summary>One of them hears of a queue that is there.</summary>
    public void TellQueue(AdvisoryListener listener, string queue)
    {
        var command = new DestinationInfo
        {
            Destination = Destination.Queue(queue),
            Operation = DestinationInfo.Add,
        };
        traits.Inbox.Post(new Advisory(listener, AdvisoryTopics.Queues, command, Count: 0));
    }

    /// <summary>Hands on what others have told; each consumer with something new is put into its turn. False: one does
    /// not read what it is told.</summary>
    public bool Hear(DispatchTurns turns, long nowMs)
    {
        while (traits.Inbox.TryTake(out Advisory advisory))
        {
            var endpoint = (ConsumerEndpoint)advisory.Listener.Consumer;
            if (endpoint.IsClosed)
            {
                continue;
            }

            if (endpoint.AdvisoryCount >= AdvisoriesMax)
            {
                return false;
            }

            endpoint.Queue(AdvisoryMessages.ToMessage(advisory, brokerName, nowMs));
            turns.Enqueue(endpoint);
        }

        return true;
    }

    // Of queues every client that may consume from all of them hears: those that are there, and later ones.
    private void TellQueues(ConsumerEndpoint endpoint, AdvisoryListener listener)
    {
        try
        {
            QueueWatch watch = client.WatchQueues(AddressPattern.AnyWords, out IReadOnlyList<string> queues);
            watch.Tag = endpoint;
            endpoint.Watches.Add(watch);
            foreach (string queue in queues.Take(QueuesToldMax))
            {
                TellQueue(listener, queue);
            }
        }
        catch (BrokerException refusal) when (refusal.Error == BrokerError.Unauthorized)
        {
            Log.QueuesNotTold(logger, traits.ClientId, refusal.Message);
        }
    }
}
