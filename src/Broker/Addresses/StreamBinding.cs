using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>How the addresses and queues of a space belong to its streams. Any thread.</summary>
internal sealed class StreamBinding(string space, BrokerServices services)
{
    private StreamCatalog? Catalog => services.Streams.GetValueOrDefault(space);

    /// <summary>
    /// The queue's stream: the one that is named, which must be there, or that of its address, when that has one and
    /// the queue takes all that is sent there. So no message is stored twice.
    /// </summary>
    public QueueConfig Complete(QueueConfig config)
    {
        if (config.Stream is { } named)
        {
            if (config.NonDestructive)
            {
                throw new BrokerException(
                    BrokerError.InvalidField, "a stream keeps its records as it is: a queue that reads one consumes");
            }

            _ = Find(named) ?? throw new BrokerException(BrokerError.NotFound, $"stream '{named}' does not exist");
            return config;
        }

        bool takesAll = config is { IsSubscription: false, NonDestructive: false, NotFrom: null }
            && !AddressPattern.IsWildcard(config.Address);
        EffectiveSettings settings = services.SettingsOf(space, config.Address);
        if (takesAll && settings.KeepInStream && !config.Temporary)
        {
            Make(config.Address, settings.StreamPartitions);
        }

        return takesAll && Find(config.Address) is not null ? config with { Stream = config.Address } : config;
    }

    /// <summary>Where the queue begins; null when it reads no stream.</summary>
    public FeedPlaces? PlacesOf(QueueConfig config) =>
        config.Stream is { } name && Find(name) is { } stream ? FeedPlaces.Of(stream, config.StreamStart) : null;

    /// <summary>Makes the stream that the settings of an address ask for.</summary>
    public void Keep(AddressNode node)
    {
        if (node.Settings.KeepInStream && Catalog is { } catalog && node.StreamIn(catalog) is null)
        {
            Make(node.Name, node.Settings.StreamPartitions);
        }
    }

    /// <summary>The stream of a name, made if it is not there.</summary>
    public void Make(string name, int partitions)
    {
        if (Catalog is not { } catalog || catalog.FindPublic(name) is not null)
        {
            return;
        }

        Grant grant = services.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, space, new AddressName(name, null));
        CatalogResult made = catalog.Create(grant, new StreamSpec { Name = name, Partitions = partitions });
        if (made.Error is not (StreamError.None or StreamError.AlreadyExists))
        {
            throw new BrokerException(
                made.Error is StreamError.InvalidName or StreamError.InvalidPartitions
                    ? BrokerError.PreconditionFailed : BrokerError.Unavailable,
                $"stream '{name}' cannot be made: {made.Message}");
        }
    }

    private RecordStream? Find(string name) => Catalog?.FindPublic(name);
}
