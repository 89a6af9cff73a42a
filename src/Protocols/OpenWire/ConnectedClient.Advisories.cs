using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Routing;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>Consumers of advisory topics.</content>
internal sealed partial class ConnectedClient
{
    // Advisories that wait for a peer that does not read.
    private const int AdvisoriesMax = 65_536;

    // Queues that are there when a listener comes, and of which it is told: it may not have read any yet.
    private const int QueuesToldMax = AdvisoriesMax / 2;

    private void Listen(ConsumerEndpoint endpoint, List<DestinationName> names)
    {
        var listener = new AdvisoryListener(
            _space, names.ConvertAll(name => name.Name.Address), _traits.Inbox, endpoint.Info.NoLocal, endpoint);
        endpoint.Listener = listener;
        _consumers[endpoint.Info.ConsumerId!] = endpoint;
        _environment.Advisories.Subscribe(listener);
        if (listener.Patterns.Any(pattern => AddressPattern.Matches(pattern, AdvisoryTopics.Queues)))
        {
            TellQueues(endpoint, listener);
        }
    }

    // Of queues every client that may consume from all of them hears: those that are there, and later ones.
    private void TellQueues(ConsumerEndpoint endpoint, AdvisoryListener listener)
    {
        try
        {
            QueueWatch watch = Client.WatchQueues(AddressPattern.AnyWords, out IReadOnlyList<string> queues);
            watch.Tag = endpoint;
            endpoint.Watches.Add(watch);
            foreach (string queue in queues.Take(QueuesToldMax))
            {
                TellQueue(listener, queue);
            }
        }
        catch (BrokerException refusal) when (refusal.Error == BrokerError.Unauthorized)
        {
            Log.QueuesNotTold(_environment.Logger, _clientId, refusal.Message);
        }
    }

    private void TellQueue(AdvisoryListener listener, string queue)
    {
        var command = new DestinationInfo
        {
            Destination = Destination.Queue(queue),
            Operation = DestinationInfo.Add,
        };
        _traits.Inbox.Post(new Advisory(listener, AdvisoryTopics.Queues, command, Count: 0));
    }

    private void HearAdvisories()
    {
        while (_traits.Inbox.TryTake(out Advisory advisory))
        {
            var endpoint = (ConsumerEndpoint)advisory.Listener.Consumer;
            if (endpoint.IsClosed)
            {
                continue;
            }

            if (endpoint.AdvisoryCount >= AdvisoriesMax)
            {
                End("advisories are not read");
                return;
            }

            endpoint.Queue(AdvisoryMessages.ToMessage(advisory, Options.BrokerName, ++_lastSequence, NowMs));
            Enqueue(endpoint);
        }
    }
}
