using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Consumers;

/// <summary>One client's wish to hear of queues whose names match a pattern, or that read streams for a
/// subscription.</summary>
public sealed class QueueWatch
{
    internal QueueWatch(BrokerClient client, string pattern)
    {
        Client = client;
        Pattern = pattern;
    }

    /// <summary>The protocol's own object for it; the core never looks at it.</summary>
    public object? Tag { get; set; }

    /// <summary>What the names match; or the subscription's queue.</summary>
    public string Pattern { get; }

    /// <summary>It is about those that read streams for a subscription.</summary>
    internal bool IsForReaders { get; init; }

    internal BrokerClient Client { get; }

    /// <summary>Set by the connection: nothing more is told.</summary>
    internal bool IsEnded { get; set; }

    internal bool Wants(QueueConfig queue) =>
        queue is { RoutingType: RoutingType.Anycast, Temporary: false, IsPrivate: false, IsSubscription: false }
        && AddressPattern.Matches(Pattern, queue.Name);
}
