using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>
/// From a SUBSCRIBE's headers to what is consumed from: a queue, a topic's subscription (volatile or durable), a
/// temporary destination, a stream. Errors: <see cref="StompException"/> and <see cref="BrokerException"/>.
/// </summary>
internal sealed class SubscriptionResolver(
    BrokerClient client, StompEnvironment environment, string? clientId, TemporaryDestinations temporaries)
{
    private StompOptions Options => environment.Options;

    /// <summary>The name of the durable subscription that a frame is about; null: about none.</summary>
    public static string? DurableName(in FrameHead frame, StompVersion version) =>
        frame.Text("durable-subscription-name"u8, version)
        ?? frame.Text("durable-subscriber-name"u8, version)
        ?? frame.Text("activemq.subscriptionName"u8, version);

    /// <summary>What a frame subscribes to; <paramref name="volatileQueue"/> was made for it and goes with it, null:
    /// nothing was.</summary>
    public ConsumerOptions Resolve(
        in FrameHead frame, StompVersion version, string key, string text, out string? volatileQueue)
    {
        if (DestinationList.IsList(text, client, Options))
        {
            throw new StompException("a subscription is one to a single destination; a list can only be sent to");
        }

        Destination destination =
            Destination.Parse(text, Options, Destination.TypeOf(frame.Text("subscription-type"u8, version)));
        StreamReading? stream = destination.IsTemporary
            ? null
            : StreamSubscription.Read(
                client, destination, frame.Text("x-stream-offset"u8, version), frame.Text("x-stream-group"u8, version));
        string? durable = DurableName(frame, version);
        if (durable is not null && (stream is not null || destination.IsTemporary))
        {
            throw OnlyTopics();
        }

        (string queue, bool isVolatile) = stream is null
            ? QueueOf(frame, version, text, destination, durable) : (stream.Stream, false);
        volatileQueue = isVolatile ? queue : null;
        return new ConsumerOptions
        {
            Queue = queue,
            Stream = stream,
            Selector = isVolatile || durable is not null ? null : frame.Text("selector"u8, version),
            NoLocal = IsNoLocal(frame, version),
            Browse = stream is null && frame.IsTrue("browser"u8, version),
            Exclusive = frame.IsTrue("exclusive"u8, version),
            TakesAll = frame.IsTrue("activemq.exclusive"u8, version),
            Priority = (int)(frame.NumberOf("consumer-priority"u8, version)
                ?? frame.NumberOf("activemq.priority"u8, version) ?? 0),
            Name = key,
            Format = PayloadFormat.Stomp,
        };
    }

    /// <summary>The queue of a durable subscription.</summary>
    public string DurableQueue(string name) => string.IsNullOrEmpty(clientId)
        ? throw new StompException("a durable subscription needs a 'client-id' header in CONNECT")
        : $"{clientId}.{name}";

    private static bool IsNoLocal(in FrameHead frame, StompVersion version) =>
        frame.IsTrue("no-local"u8, version) || frame.IsTrue("activemq.noLocal"u8, version);

    private static StompException OnlyTopics() => new("a durable subscription is one to a topic");

    // The queue to consume from, and whether it goes with the subscription.
    private (string Queue, bool IsVolatile) QueueOf(
        in FrameHead frame, StompVersion version, string text, in Destination destination, string? durable)
    {
        if (destination.IsTemporary)
        {
            return (temporaries.AddressOf(text, destination), false);
        }

        bool isTopic = destination.Name.Queue is null
            && (destination.RoutingType ?? client.RoutingTypeOf(destination.Name.Address)) == RoutingType.Multicast;
        if (!isTopic && durable is not null)
        {
            throw OnlyTopics();
        }

        if (!isTopic)
        {
            RoutingType? type = destination.Name.Queue is null ? RoutingType.Anycast : destination.RoutingType;
            return (client.ResolveQueue(destination.Name, type), false);
        }

        if (client.FindAddress(destination.Name.Address) is { Anycast: true, Multicast: false })
        {
            throw new StompException($"'{destination.Name.Address}' is a queue, and the frame asks for a topic");
        }

        return (SubscribeTopic(frame, version, destination.Name.Address, durable), durable is null);
    }

    private string SubscribeTopic(in FrameHead frame, StompVersion version, string address, string? durable)
    {
        var config = new QueueConfig
        {
            Name = durable is null ? environment.RandomQueueName() : DurableQueue(durable),
            Address = address,
            RoutingType = RoutingType.Multicast,
            Durable = durable is not null,
            Temporary = durable is null,
            DeleteOnNoConsumers = durable is null,
            ConsumersMax = 1,
            Filter = frame.Text("selector"u8, version),
            NotFrom = IsNoLocal(frame, version) ? client.Info.ClientId : null,
            AutoCreated = true,
            Owner = client.Info.Identity.Name,
        };
        QueueConfig? existing = durable is null ? null : client.FindQueue(config.Name);
        bool same = existing is not null && existing.Address == config.Address && existing.Filter == config.Filter
            && existing.NotFrom == config.NotFrom;
        if (existing is not null && !same)
        {
            // Another address or selector under the same name makes a new subscription, as with JMS.
            client.DeleteQueue(config.Name, ifUnused: true);
        }

        if (!same)
        {
            client.CreateQueue(config);
        }

        return config.Name;
    }
}
