using System.Globalization;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>
/// From a ConsumerInfo's destination to a queue to consume from: a queue, a topic's subscription (volatile or durable),
/// a queue of a virtual topic; or to a stream that is read for a consumer group
/// (<c>stream/ConsumerGroups/group</c>). Errors: <see cref="BrokerException"/> and <see cref="OpenWireException"/>.
/// </summary>
internal sealed class SubscriptionResolver(BrokerClient client, string clientId)
{
    /// <summary>The consumer of one destination.</summary>
    public ConsumerOptions Resolve(ConsumerInfo info, DestinationName name)
    {
        if (ReadingOf(info, name) is { } reading)
        {
            return OptionsOf(info, "") with { Stream = reading };
        }

        bool isTopic = name.Destination.IsTopic;
        if (!isTopic)
        {
            return OptionsOf(info, FindQueue(name));
        }

        // A subscription has its selector in its queue.
        return OptionsOf(info, Subscribe(info, name)) with { Selector = null, NoLocal = false };
    }

    /// <summary>A consumer of a queue.</summary>
    public static ConsumerOptions OptionsOf(ConsumerInfo info, string queue) => new()
    {
        Queue = queue,
        Selector = Blank(info.Selector),
        Browse = info.Browser,
        Priority = info.Priority <= sbyte.MaxValue ? info.Priority : 0,
        NoLocal = info.NoLocal,
        TakesAll = info.Exclusive && !info.Browser,
        Name = info.ConsumerId!.ToString(),
        Format = PayloadFormat.OpenWire,
    };

    /// <summary>The queue of a durable subscription, named as AMQP clients with the same id name it.</summary>
    public static string DurableName(string clientId, string subscription) => $"{clientId}.{subscription}";

    // As a member of a group; who only looks is none, and sees all that is there.
    private StreamReading? ReadingOf(ConsumerInfo info, DestinationName name)
    {
        StreamAddress address = StreamAddress.Parse(name.Name.Address);
        if (address.Group is null || name.Name.Queue is not null || !client.IsStream(address.Stream)
            || client.FindQueue(name.Name.Address) is not null)
        {
            return null;
        }

        int? partition = address.Partition is null ? null
            : int.TryParse(address.Partition, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
            : throw DestinationName.Invalid($"'{name.Name.Address}' names no partition");
        return new StreamReading
        {
            Stream = address.Stream,
            Group = info.Browser || address.Group == StreamAddress.NoGroup ? null : address.Group,
            Partition = partition,
            Start = info.Retroactive || info.Browser ? StreamStart.First : StreamStart.Next,
        };
    }

    private static string? Blank(string? selector) => string.IsNullOrWhiteSpace(selector) ? null : selector;

    private string FindQueue(DestinationName name)
    {
        if (name.Destination.IsTemporary)
        {
            return client.FindQueue(name.Name.Address) is not null
                ? name.Name.Address
                : throw DestinationName.Invalid($"there is no temporary queue {name.Destination.PhysicalName}");
        }

        return client.ResolveQueue(name.Name, name.RoutingType);
    }

    private string Subscribe(ConsumerInfo info, DestinationName name)
    {
        if (client.FindAddress(name.Name.Address) is { Anycast: true, Multicast: false })
        {
            throw DestinationName.Invalid($"'{name.Name.Address}' is a queue, not a topic");
        }

        bool isDurable = !string.IsNullOrEmpty(info.SubscriptionName);
        var config = new QueueConfig
        {
            Name = isDurable
                ? DurableName(clientId, info.SubscriptionName!)
                : $"{info.ConsumerId}@{name.Name.Address}",
            Address = name.Name.Address,
            RoutingType = RoutingType.Multicast,
            Durable = isDurable,
            Temporary = !isDurable,
            DeleteOnNoConsumers = !isDurable,
            ConsumersMax = 1,
            Filter = Blank(info.Selector),
            NotFrom = info.NoLocal ? clientId : null,
            // Only a topic that is a stream has a past.
            StreamStart = info.Retroactive ? StreamStart.First : StreamStart.Next,
            AutoCreated = true,
        };
        Make(config);
        return config.Name;
    }

    // A subscription that was made with another topic or selector is made anew, unless somebody uses it (JMS 1.1
    // section 6.11.1).
    private void Make(QueueConfig config)
    {
        QueueConfig? existing = client.FindQueue(config.Name);
        if (existing is not null && existing.Address == config.Address && existing.Filter == config.Filter
            && existing.NotFrom == config.NotFrom)
        {
            return;
        }

        if (existing is null)
        {
            client.CreateQueue(config);
            return;
        }

        // Refused as a whole, e.g. for its selector: what the old one holds is not lost then.
        client.ReplaceQueue(config);
    }
}
