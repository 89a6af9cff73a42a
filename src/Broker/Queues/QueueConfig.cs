using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>A queue as the operator or a client wrote it. Immutable; journaled for durable queues.</summary>
public sealed record QueueConfig
{
    /// <summary>Unique in its address space.</summary>
    public required string Name { get; init; }

    /// <summary>The address it takes messages from; may hold wildcards (<c>news.#</c>).</summary>
    public required string Address { get; init; }

    /// <summary>Anycast or multicast.</summary>
    public RoutingType RoutingType { get; init; } = RoutingType.Anycast;

    /// <summary>Survives a restart (with its durable messages).</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Deleted with the connection that made it.</summary>
    public bool Temporary { get; init; }

    /// <summary>Only messages that match this selector are taken; null takes all.</summary>
    public string? Filter { get; init; }

    /// <summary>What the client with this id publishes is not taken (no-local of a subscription); null takes
    /// all.</summary>
    public string? NotFrom { get; init; }

    /// <summary>Most consumers at once; -1 = no limit.</summary>
    public int ConsumersMax { get; init; } = -1;

    /// <summary>Made because a client used it, not by an operator.</summary>
    public bool AutoCreated { get; init; }

    /// <summary>Deleted when the last consumer leaves and it is empty (after the settings' delay).</summary>
    public bool AutoDelete { get; init; }

    /// <summary>Deleted when the last consumer leaves even if not empty (volatile subscriptions).</summary>
    public bool DeleteOnNoConsumers { get; init; }

    /// <summary>Messages are never removed by consuming (all consumers browse).</summary>
    public bool NonDestructive { get; init; }

    /// <summary>
    /// It takes nothing from its own address, which only says whose settings and permissions count, but from what it
    /// is bound to (<see cref="BrokerClient.Bind"/>). It then has no dead-letter and no expiry address, and no most
    /// attempts.
    /// </summary>
    public bool IsSubscription { get; init; }

    /// <summary>Only its owner consumes from it, publishes to it by name and deletes it, and needs no permission for
    /// that; nor does making it: what comes into it was allowed by <see cref="BrokerClient.Bind"/>.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Most messages in it beyond which one that is not durable is dropped, and counted; -1 = no
    /// limit.</summary>
    public int TransientMax { get; init; } = -1;

    /// <summary>The stream whose records are its messages; null: it takes what is sent to its address.</summary>
    public string? Stream { get; init; }

    /// <summary>With <see cref="Stream"/>: where it begins; of a queue that is there already it means nothing.
    /// </summary>
    public StreamStart StreamStart { get; init; }

    /// <summary>Of a subscription: what it is bound to and is a stream is read, whoever wrote it, from so many streams
    /// at most, each by a queue of its own; 0 = it takes only what is published to the node.</summary>
    public int StreamsMax { get; init; }

    /// <summary>The subscription for which it reads a stream, and with which it goes; null: it stands for itself.
    /// </summary>
    public string? ReadsFor { get; init; }

    /// <summary>The user that made it, for views.</summary>
    public string? Owner { get; init; }
}
