using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Consumers;

/// <summary>A queue (anycast) or a topic (multicast) was made, or has gone.</summary>
/// <param name="Name">The queue's name, or the address.</param>
/// <param name="Type">Which of both it is.</param>
/// <param name="IsGone">Whether it has gone.</param>
public readonly record struct NameChange(string Name, RoutingType Type, bool IsGone);

/// <summary>One client's wish to hear of queues whose names match a pattern, or that read streams for a
/// subscription; or of all queues and topics.</summary>
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

    /// <summary>It is about all queues and topics, also about their end.</summary>
    internal bool IsOfNames { get; init; }

    internal BrokerClient Client { get; }

    /// <summary>Set by the connection: nothing more is told.</summary>
    internal bool IsEnded { get; set; }

    internal bool Wants(QueueConfig queue) => IsForAll(queue) && AddressPattern.Matches(Pattern, queue.Name);

    /// <summary>Whether it is a queue that others can know of.</summary>
    internal static bool IsForAll(QueueConfig queue) =>
        queue is { RoutingType: RoutingType.Anycast, Temporary: false, IsPrivate: false, IsSubscription: false };
}
