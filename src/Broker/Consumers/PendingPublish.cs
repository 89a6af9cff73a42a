using Pillarbox.Broker.Queues;

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
    public ushort DeliveryCount;
    public long ExpiresAtMs;
    public long BlobId;

    /// <summary>The one queue that gets it, or null: <see cref="Many"/>.</summary>
    public Queue? Single;
    public Queue[]? Many;
    public BrokerException? Error;
}

/// <summary>The queues that get one message.</summary>
internal readonly struct Targets(Queue? single, Queue[]? many, ReadOnlyMemory<long> durableIds)
{
    public Queue? Single { get; } = single;

    public Queue[]? Many { get; } = many;

    /// <summary>The durable ones among them.</summary>
    public ReadOnlyMemory<long> DurableIds { get; } = durableIds;

    public bool IsEmpty => Single is null && (Many is null || Many.Length == 0);
}
