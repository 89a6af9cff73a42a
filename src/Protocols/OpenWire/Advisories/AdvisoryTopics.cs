using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>The names of advisory topics, and the facts that they tell of.</summary>
internal static class AdvisoryTopics
{
    private const string Prefix = "ActiveMQ.Advisory.";

    /// <summary>The topic that tells of queues that are made, and go.</summary>
    public const string Queues = Prefix + "Queue";

    /// <summary>The topic that tells of topics that are made, and go.</summary>
    public const string Topics = Prefix + "Topic";

    public static string OfTemporary(Destination destination) =>
        Prefix + (destination.Kind == DataType.TempQueue ? "TempQueue" : "TempTopic");

    /// <summary>A connection; its password is nobody's business.</summary>
    public static AdvisoryFact Connection(string space, ConnectionInfo info, object owner) =>
        new(space, Prefix + "Connection", info.ConnectionId!, owner)
        {
            Added = new ConnectionInfo
            {
                ConnectionId = info.ConnectionId,
                ClientId = info.ClientId,
                UserName = info.UserName,
                Password = "",
                Manageable = info.Manageable,
                ClientMaster = info.ClientMaster,
                FaultTolerant = info.FaultTolerant,
            },
            Removed = new RemoveInfo { ObjectId = info.ConnectionId },
        };

    public static AdvisoryFact Temporary(
        string space, ConnectionId connection, Destination destination, object owner) =>
        new(space, OfTemporary(destination), destination, owner)
        {
            Added = new DestinationInfo
            {
                ConnectionId = connection,
                Destination = destination,
                Operation = DestinationInfo.Add,
            },
            Removed = new DestinationInfo
            {
                ConnectionId = connection,
                Destination = destination,
                Operation = DestinationInfo.Remove,
            },
        };

    /// <summary>A consumer on one of its destinations.</summary>
    public static AdvisoryFact Consumer(
        string space, ConsumerInfo info, DestinationName destination, object owner) =>
        new(space, Prefix + "Consumer." + Of(destination), info.ConsumerId!, owner)
        {
            Added = new ConsumerInfo
            {
                ConsumerId = info.ConsumerId,
                Destination = destination.Destination,
                Browser = info.Browser,
                PrefetchSize = info.PrefetchSize,
                Selector = info.Selector,
                SubscriptionName = info.SubscriptionName,
                NoLocal = info.NoLocal,
                Exclusive = info.Exclusive,
                Priority = info.Priority,
            },
            Removed = new RemoveInfo { ObjectId = info.ConsumerId },
        };

    /// <summary>A producer with a destination of its own.</summary>
    public static AdvisoryFact Producer(
        string space, ProducerInfo info, DestinationName destination, object owner) =>
        new(space, Prefix + "Producer." + Of(destination), info.ProducerId!, owner)
        {
            Added = new ProducerInfo { ProducerId = info.ProducerId, Destination = destination.Destination },
            Removed = new RemoveInfo { ObjectId = info.ProducerId },
        };

    private static string Of(DestinationName name) =>
        (name.Destination.IsTopic ? "Topic." : "Queue.") + name.Destination.PhysicalName;
}
