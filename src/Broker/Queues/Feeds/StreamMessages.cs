using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>What a record of a stream is as a message. Pure.</summary>
internal static class StreamMessages
{
    /// <summary>Its header: durable, as old as the record.</summary>
    public static MessageHeader HeaderOf(in RecordPlace place) => new()
    {
        Durable = true,
        PublishedAtMs = place.TimestampMs,
        Format = PayloadFormat.KafkaRecord,
    };

    /// <summary>What the journal says of earlier attempts.</summary>
    public static void Apply(ref QueueEntry entry, in AttemptFields tried, Queue queue)
    {
        entry.DeliveryCount = tried.Count;
        entry.Flags |= EntryFlags.HasAttempts;
        int max = queue.Rules.MaxDeliveryAttempts;
        if (tried.Doom != Doom.None)
        {
            entry.Flags |= EntryFlags.Doomed | (tried.Doom == Doom.Exhausted ? EntryFlags.Exhausted : 0);
        }
        else if (max >= 0 && tried.Count >= max)
        {
            entry.Flags |= EntryFlags.Doomed | EntryFlags.Exhausted;
        }

        queue.Attempts.Add(entry, tried.Attempt);
    }
}
