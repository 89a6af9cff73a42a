using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// From the source of an attach to a queue to consume from (part 3 section 3.5.3): plain queue, browser, subscription
/// in its kinds,
/// dynamic node, or the look-up of a durable subscription. Errors are link errors or <see cref="BrokerException"/>.
/// </summary>
internal sealed class SourceResolver(ConnectionEndpoint connection)
{
    private static readonly string[] Outcomes =
        ["amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"];

    private BrokerClient Client => connection.Client;

    /// <summary>Finds or makes what the attach asks for.</summary>
    public Subscription Resolve(Attach attach)
    {
        if (attach.Source is not { } source)
        {
            return LookUp(attach.Name);
        }

        // Refused before anything is made.
        _ = PeerOutcome.ReadDefault(source.DefaultOutcome, connection.Options);
        SourceFilters filters = FiltersOf(source);
        _ = Selector.ParseOptional(filters.Selector);
        if (source.Dynamic)
        {
            RequireNoStart(filters);
            return MakeDynamic(source, filters);
        }

        TerminusName name = TerminusName.Parse(source.Address, connection.Options, source.Capabilities);
        if (StreamSource.Read(Client, attach, name, filters) is { } reading)
        {
            return Read(source, reading, filters);
        }

        RequireNoStart(filters);
        return IsMulticast(name)
            ? Subscribe(attach.Name, source, name.Name, filters)
            : Consume(source, name, filters);
    }

    /// <summary>The consumer that the subscription needs.</summary>
    public ConsumerOptions ToConsumer(Attach attach, Subscription subscription)
    {
        SourceFilters filters = FiltersOf(subscription.Source);
        bool filtersInQueue = subscription is { OwnsQueue: true, Source.Dynamic: false };
        return new ConsumerOptions
        {
            Queue = subscription.Queue,
            Stream = subscription.Stream,
            Selector = filtersInQueue ? null : filters.Selector,
            NoLocal = filters.NoLocal && !(filtersInQueue && subscription.IsNoLocalInQueue),
            Browse = subscription is
            { OwnsQueue: false, Stream: null, Source.DistributionMode: DistributionMode.Copy },
            Priority = PriorityOf(attach.Properties),
            Name = attach.Name,
            Format = Model.PayloadFormat.Amqp,
        };
    }

    // An offset specification that is not applied is not answered. A selector chooses messages: whoever names one must
    // not get all.
    private static void RequireNoStart(SourceFilters filters)
    {
        if (filters.StartSelector is { } selector)
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField,
                $"the selector \"{selector}\" says where a stream is read from, and the source is none",
                AmqpSeverity.Link);
        }
    }

    private SourceFilters FiltersOf(Source source) => SourceFilters.Parse(source.Filter, connection.NowMs);

    private static Subscription Read(Source source, StreamReading reading, SourceFilters filters) => new()
    {
        Queue = reading.Stream,
        Stream = reading,
        Source = source with
        {
            Filter = filters.AppliedToStream,
            DistributionMode = DistributionMode.Copy,
            Outcomes = Outcomes,
            Capabilities = null,
        },
    };

    private static int PriorityOf(AmqpMap? properties) =>
        properties is not null
            && properties.TryGet("priority", out AmqpValue value) && value.TryGetInt64(out long priority)
            ? (int)Math.Clamp(priority, int.MinValue, int.MaxValue)
            : 0;

    private static bool Has(Source source, string capability) => source.Capabilities?.Contains(capability) == true;

    private static string[]? Offered(Source source, string kind)
    {
        string[] known = [kind, "shared", "global"];
        string[] offered = known.Where(c => Has(source, c)).ToArray();
        return offered.Length == 0 ? null : offered;
    }

    // Artemis makes topics of plain names; here a name that nobody claimed is a queue, unless its settings say else.
    private bool IsMulticast(TerminusName name)
    {
        if (name.Name.Queue is not null)
        {
            return false;
        }

        if (name.RoutingType is { } asked)
        {
            return asked == RoutingType.Multicast;
        }

        return Client.RoutingTypeOf(name.Name.Address) == RoutingType.Multicast;
    }

    private Subscription Consume(Source source, TerminusName name, SourceFilters filters)
    {
        RoutingType? routing = name.Name.Queue is null ? RoutingType.Anycast : name.RoutingType;
        bool browse = source.DistributionMode == DistributionMode.Copy;
        return new Subscription
        {
            Queue = Client.ResolveQueue(name.Name, routing),
            Source = source with
            {
                Filter = filters.Applied,
                DistributionMode = browse ? DistributionMode.Copy : DistributionMode.Move,
                Outcomes = Outcomes,
                Capabilities = Offered(source, "queue"),
            },
        };
    }

    private Subscription Subscribe(string linkName, Source source, AddressName name, SourceFilters filters)
    {
        bool shared = Has(source, "shared");
        bool durable = source.Durable != TerminusDurability.None;
        if (Client.FindAddress(name.Address) is { Anycast: true, Multicast: false })
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed, $"'{name.Address}' is a queue, and the link asks for a topic");
        }

        var config = new QueueConfig
        {
            Name = durable || shared
                ? SubscriptionName(linkName, shared, durable, Has(source, "global"))
                : DynamicNode.RandomName(connection.Environment.Random),
            Address = name.Address,
            RoutingType = RoutingType.Multicast,
            Durable = durable,
            Temporary = !durable && !shared,
            DeleteOnNoConsumers = !durable,
            ConsumersMax = shared ? -1 : 1,
            Filter = filters.Selector,
            NotFrom = filters.NoLocal && connection.ContainerId.Length > 0 ? connection.ContainerId : null,
            AutoCreated = true,
            Owner = connection.Identity.Name,
        };
        bool isNew = MakeSubscription(config);
        if (durable)
        {
            Client.SetQueueExpiry(config.Name, Subscription.TimeoutMs(source), begins: false);
        }

        return new Subscription
        {
            Queue = config.Name,
            OwnsQueue = true,
            IsShared = shared,
            IsNew = isNew,
            IsNoLocalInQueue = config.NotFrom is not null,
            Source = source with
            {
                Filter = filters.Applied,
                DistributionMode = source.DistributionMode is null ? null : DistributionMode.Copy,
                ExpiryPolicy = durable ? source.ExpiryPolicy : TerminusExpiryPolicy.Never,
                Outcomes = Outcomes,
                Capabilities = Offered(source, "topic"),
            },
        };
    }

    // A subscription that was made with another address or selector is made anew, unless somebody uses it. True: there
    // was none.
    private bool MakeSubscription(QueueConfig config)
    {
        QueueConfig? existing = Client.FindQueue(config.Name);
        if (existing is not null && existing.Address == config.Address && existing.Filter == config.Filter
            && existing.NotFrom == config.NotFrom)
        {
            return false;
        }

        if (existing is not null)
        {
            Client.ReplaceQueue(config);
            return false;
        }

        Client.CreateQueue(config);
        return true;
    }

    private string SubscriptionName(string linkName, bool shared, bool durable, bool global)
    {
        int cut = shared ? linkName.IndexOf('|', StringComparison.Ordinal) : -1;
        string name = cut < 0 ? linkName : linkName[..cut];
        string owned = global || connection.ContainerId.Length == 0 ? name : $"{connection.ContainerId}.{name}";
        string kept = durable ? owned : owned + ":shared-volatile";
        string full = global ? kept + ":global" : kept;
        return AddressName.Check(full, "subscription name") is { } error
            ? throw new BrokerException(BrokerError.InvalidField, error)
            : full;
    }

    private Subscription MakeDynamic(Source source, SourceFilters filters)
    {
        DynamicNode node = DynamicNode.Create(connection, source.Capabilities);
        return new Subscription
        {
            Queue = node.Name,
            OwnsQueue = true,
            IsNew = true,
            Source = source with
            {
                Address = node.Name,
                DynamicNodeProperties = DynamicNode.Properties(),
                Filter = filters.Applied,
                DistributionMode = DistributionMode.Move,
                ExpiryPolicy = TerminusExpiryPolicy.Never,
                Outcomes = Outcomes,
            },
        };
    }

    // A null source asks for the durable subscription with the link's name: how subscriptions are ended.
    private Subscription LookUp(string linkName)
    {
        bool shared = linkName.Contains('|', StringComparison.Ordinal);
        QueueConfig? queue = Client.FindQueue(SubscriptionName(linkName, shared, durable: true, global: false));
        bool global = queue is null;
        queue ??= Client.FindQueue(SubscriptionName(linkName, shared, durable: true, global: true));
        if (queue is null)
        {
            throw new BrokerException(
                BrokerError.NotFound, $"there is no durable subscription '{linkName}' of this container");
        }

        shared = queue.ConsumersMax != 1;
        string[] kinds = ["topic", .. shared ? (string[])["shared"] : [], .. global ? (string[])["global"] : []];
        return new Subscription
        {
            Queue = queue.Name,
            OwnsQueue = true,
            IsShared = shared,
            Source = new Source
            {
                Address = queue.Address,
                Durable = TerminusDurability.UnsettledState,
                ExpiryPolicy = TerminusExpiryPolicy.Never,
                DistributionMode = DistributionMode.Copy,
                Filter = SourceFilters.OfSelector(queue.Filter),
                Outcomes = Outcomes,
                Capabilities = kinds,
            },
        };
    }
}
