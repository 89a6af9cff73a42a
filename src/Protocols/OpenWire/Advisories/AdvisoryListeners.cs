using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>A connection's consumers of advisory topics, and what they are told. Used by the connection's loop alone.
/// </summary>
internal sealed class AdvisoryListeners(OpenWireEnvironment environment, BrokerClient client, ClientTraits traits)
{
    // Advisories that wait for a peer that does not read.
    private const int AdvisoriesMax = 65_536;

    // Queues, and as many topics, that are there when a listener comes, and of which it is told: it may not have read
    // any yet.
    private const int NamesToldMax = AdvisoriesMax / 4;

    // So temporary destinations are called, by the connection that made them: they have advisories of their own.
    private const string TemporaryPrefix = "ID:";

    /// <summary>A consumer hears of what these topics tell: what is there, and what changes.</summary>
    public void Listen(ConsumerEndpoint endpoint, List<DestinationName> names)
    {
        var listener = new AdvisoryListener(
            traits.Space, names.ConvertAll(name => name.Name.Address), traits.Inbox, endpoint.Info.NoLocal, endpoint);
        endpoint.Listener = listener;
        environment.Advisories.Subscribe(listener);
        if (listener.Hears(AdvisoryTopics.Queues) || listener.Hears(AdvisoryTopics.Topics))
        {
            TellNames(endpoint, listener);
        }
    }

    /// <summary>It hears no more.</summary>
    public void Unlisten(ConsumerEndpoint endpoint)
    {
        if (endpoint.Listener is { } listener)
        {
            environment.Advisories.Unsubscribe(listener);
        }
    }

    /// <summary>A queue or a topic was made, or has gone.</summary>
    public void OnNameChanged(QueueWatch watch, in NameChange change) =>
        TellName(((ConsumerEndpoint)watch.Tag!).Listener!, change);

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

            endpoint.Queue(AdvisoryMessages.ToMessage(advisory, environment.Options.BrokerName, nowMs));
            turns.Enqueue(endpoint);
        }

        return true;
    }

    // Every client that may consume from all hears of the queues and topics that are there, and of later changes.
    private void TellNames(ConsumerEndpoint endpoint, AdvisoryListener listener)
    {
        try
        {
            QueueWatch watch = client.WatchNames(out IReadOnlyList<string> queues, out IReadOnlyList<string> topics);
            watch.Tag = endpoint;
            endpoint.Watches.Add(watch);
            foreach (string queue in queues.Take(NamesToldMax))
            {
                TellName(listener, new NameChange(queue, RoutingType.Anycast, IsGone: false));
            }

            foreach (string topic in topics.Take(NamesToldMax))
            {
                TellName(listener, new NameChange(topic, RoutingType.Multicast, IsGone: false));
            }
        }
        catch (BrokerException refusal) when (refusal.Error == BrokerError.Unauthorized)
        {
            Log.QueuesNotTold(environment.Logger, traits.ClientId, refusal.Message);
        }
    }

    private void TellName(AdvisoryListener listener, in NameChange change)
    {
        bool isTopic = change.Type == RoutingType.Multicast;
        string topic = isTopic ? AdvisoryTopics.Topics : AdvisoryTopics.Queues;
        if (!listener.Hears(topic) || (isTopic && change.Name.StartsWith(TemporaryPrefix, StringComparison.Ordinal)))
        {
            return;
        }

        var command = new DestinationInfo
        {
            Destination = isTopic ? Destination.Topic(change.Name) : Destination.Queue(change.Name),
            Operation = change.IsGone ? DestinationInfo.Remove : DestinationInfo.Add,
        };
        traits.Inbox.Post(new Advisory(listener, topic, command, Count: 0));
    }
}
