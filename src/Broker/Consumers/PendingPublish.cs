using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Writing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Consumers;

/// <summary>A message that is written into a batch and not appended yet.</summary>
internal struct PendingPublish
{
    public Producer Producer;
    public ulong Tag;

    /// <summary>Where its record is in the batch; -1: it is refused or goes nowhere.</summary>
    public int Offset;
    public int RecordBytes;
    public byte Priority;
    public bool InJournal;

    /// <summary>Its publisher wants it kept, whether a durable queue takes it or not.</summary>
    public bool IsDurable;
    public ushort DeliveryCount;
    public long ExpiresAtMs;
    public long DeliverAtMs;
    public MessageGroup Group;

    /// <summary>Who numbered it; null: nobody.</summary>
    public ProducerMemory? Memory;

    /// <summary>Its number there.</summary>
    public long Number;

    /// <summary>The journal must be durable so far before its end is told, even when it goes nowhere.</summary>
    public long Need;
    public long BlobId;

    /// <summary>The one queue that gets it, or null: <see cref="Many"/>.</summary>
    public Queue? Single;
    public Queue[]? Many;

    /// <summary>The batch of a stream's partition that it is in; null: none.</summary>
    public StreamBatch? Kept;
    public BrokerException? Error;

    /// <summary>Nobody takes it.</summary>
    public bool IsUnrouted;

    /// <summary>It will not reach its queues.</summary>
    public readonly void GiveUp()
    {
        Single?.Approaches?.Leave();
        Targets.GiveUp(Many);
    }
}

/// <summary>The queues that get one message.</summary>
internal readonly struct Targets(Queue? single, Queue[]? many, ReadOnlyMemory<long> durableIds)
{
    public Queue? Single { get; } = single;

    public Queue[]? Many { get; } = many;

    /// <summary>The durable ones among them.</summary>
    public ReadOnlyMemory<long> DurableIds { get; } = durableIds;

    public bool IsEmpty => Single is null && (Many is null || Many.Length == 0);

    /// <summary>Counts the message as on its way to those that delete themselves; false: one of them goes just now.
    /// </summary>
    public bool TryApproach() => Single is not null
        ? Single.Approaches?.TryEnter() != false
        : Many is null || TryApproach(Many);

    /// <summary>The same for a list: to all or to none.</summary>
    public static bool TryApproach(Queue[] queues)
    {
        for (int i = 0; i < queues.Length; i++)
        {
            if (queues[i].Approaches?.TryEnter() == false)
            {
                GiveUp(queues.AsSpan(0, i));
                return false;
            }
        }

        return true;
    }

    /// <summary>Where a message of the node itself goes: it is on its way to these from now on. Makes the address when
    /// it may.</summary>
    public static Queue[] Approach(AddressSpace space, string address)
    {
        Queue[] targets = space.ResolveForBroker(address);
        while (!TryApproach(targets))
        {
            // Whoever deletes one of them does it under the same lock: by then it is gone.
            space.Frozen(() => true);
            targets = space.ResolveForBroker(address);
        }

        return targets;
    }

    /// <summary>The message is there for all of them.</summary>
    public static void Post(Queue[] queues, ShardOp op)
    {
        foreach (Queue queue in queues)
        {
            op.Queue = queue;
            queue.Shard.Post(op);
        }
    }

    /// <summary>The message will not come.</summary>
    public static void GiveUp(ReadOnlySpan<Queue> queues)
    {
        foreach (Queue queue in queues)
        {
            queue.Approaches?.Leave();
        }
    }
}
