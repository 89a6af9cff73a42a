using Pillarbox.Broker.Queues;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// One message on its way to one consumer: where it is, not what it says; the connection reads the body when it
/// writes it out.
/// Owned by the consumer's connection until settled exactly once (or given back by closing the consumer).
/// </summary>
public readonly record struct Delivery
{
    /// <summary>The consumer that gets it.</summary>
    public required Consumer Consumer { get; init; }

    /// <summary>The queue it came from.</summary>
    internal Queue Queue { get; init; }

    /// <summary>The number of that queue: unique on the node, and of a durable one the same for ever.</summary>
    public long QueueNumber => Queue.Id;

    /// <summary>Its place in the queue's list of <see cref="Priority"/>.</summary>
    internal long Sequence { get; init; }

    /// <summary>Which of the consumer's deliveries it is.</summary>
    internal uint Stamp { get; init; }

    /// <summary>The message's id: unique on the node among durable messages (see <see cref="Durable"/>).</summary>
    public long MessageId { get; init; }

    /// <summary>Where the record is in its log.</summary>
    internal long Position { get; init; }

    /// <summary>The record's payload length in its log, in bytes (for a large message not the body's length).</summary>
    public int RecordBytes { get; init; }

    /// <summary>Whether the record is in the journal (durable) or in the transient log.</summary>
    public bool Durable { get; init; }

    /// <summary>Whether it is a record of a stream.</summary>
    public bool IsRecord => Queues.Feeds.RecordId.Is(MessageId);

    /// <summary>Whether the body is in a file of its own.</summary>
    public bool Large { get; init; }

    /// <summary>Which name of <see cref="BrokerClient.Reclaim"/> brought it, from 1 on; 0: it came by credit.</summary>
    public int Claim { get; init; }

    /// <summary>The list it is in, 0 to 9.</summary>
    public byte Priority { get; init; }

    /// <summary>Failed attempts so far.</summary>
    public ushort DeliveryCount { get; init; }

    /// <summary>What names it for <see cref="BrokerClient.Reclaim"/>; of a queue's message only.</summary>
    public DeliveryName Name => new(
        Queue.Shard.Services.IncarnationOf(Durable), MessageId, Sequence, RecordBytes, DeliveryCount, Priority);

    /// <summary>Whether it is the first message of its group that this consumer gets.</summary>
    public bool StartsGroup { get; init; }

    /// <summary>Whether the consumer only looks: settling has no effect.</summary>
    public bool Browsing { get; init; }
}
