using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Management;

/// <summary>Makes views of queues, their consumers and messages.</summary>
internal sealed class QueueInspection(BrokerServices services)
{
    /// <summary>Bytes of a body that a view shows.</summary>
    private const int PayloadHeadBytesMax = 4096;

    /// <summary>Messages that a browse with a selector looks at.</summary>
    private const int LooksMax = 100_000;

    /// <summary>A queue's figures; any thread, so they may be a little apart from each other.</summary>
    public static QueueView View(Queue queue, long? oldestPublishedAtMs = null)
    {
        QueueCounters counters = queue.Counters;
        return new QueueView(
            queue.Space.Name, queue.Config, queue.IsPaused, Volatile.Read(ref counters.Messages),
                Volatile.Read(ref counters.Bytes),
            Volatile.Read(ref counters.Ready), Volatile.Read(ref counters.InFlight),
                Volatile.Read(ref counters.Delayed),
            queue.Admission.Consumers, Volatile.Read(ref counters.EnqueuedTotal),
                Volatile.Read(ref counters.AcknowledgedTotal),
            Volatile.Read(ref counters.ExpiredTotal), Volatile.Read(ref counters.DeadLetteredTotal),
                oldestPublishedAtMs);
    }

    /// <summary>The same with what must be read from the first message.</summary>
    public async Task<QueueView> ViewWithOldestAsync(Queue queue)
    {
        List<Place> places = await PlacesAsync(queue, 1).ConfigureAwait(false);
        MessageView? first = places.Count == 0 ? null : await ReadAsync(places[0], null).ConfigureAwait(false);
        return View(queue, first?.Header.PublishedAtMs);
    }

    /// <summary>The first messages that a selector matches.</summary>
    public async Task<IReadOnlyList<MessageView>> BrowseAsync(Queue queue, int max, Selector? selector)
    {
        List<Place> places = await PlacesAsync(queue, selector is null ? max : LooksMax).ConfigureAwait(false);
        List<MessageView> found = [];
        foreach (Place place in places)
        {
            if (found.Count >= max)
            {
                break;
            }

            if (await ReadAsync(place, selector).ConfigureAwait(false) is { } view)
            {
                found.Add(view);
            }
        }

        return found;
    }

    public static Task<List<ConsumerView>> ConsumersAsync(Queue queue) => queue.Shard.Ask(_ =>
        queue.Consumers.All.Select(consumer => new ConsumerView(
            consumer.Client.Id, queue.Config.Name, consumer.Options.Name, consumer.Options.Selector, consumer.Browses,
            consumer.Options.Priority, consumer.Credit, consumer.Held.Held, consumer.DeliveredTotal)).ToList());

    private static Task<List<Place>> PlacesAsync(Queue queue, int max) => queue.Shard.Ask(_ =>
    {
        List<Place> places = [];
        foreach ((byte priority, long sequence) in queue.Contents.Places(_ => true, max))
        {
            places.Add(new Place(queue.Find(priority, sequence)));
        }

        return places;
    });

    private async Task<MessageView?> ReadAsync(Place place, Selector? selector)
    {
        SegmentedLog log = services.LogOf(place.Entry.Has(EntryFlags.InJournal));
        try
        {
            using LogLease lease = await log.ReadAsync(place.Entry.Position, CancellationToken.None).ConfigureAwait(
                false);
            return ViewOf(place.Entry, lease.Span, selector);
        }
        catch (StorageException)
        {
            return selector is not null ? null : new MessageView(
                place.Entry.Id, new MessageHeader(), place.Entry.DeliveryCount, 0, "Unreadable", []);
        }
    }

    private MessageView? ViewOf(in QueueEntry entry, ReadOnlySpan<byte> record, Selector? selector)
    {
        if (!MessageRecord.TryRead(record, out StoredMessage message))
        {
            return null;
        }

        ReadOnlySpan<byte> payload = record[message.PayloadOffset..];
        if (selector?.Matches(message.Header, payload, services.ReaderOf(message.Header.Format)) == false)
        {
            return null;
        }

        long bodyBytes = message.IsLarge ? message.BlobBytes : payload.Length;
        return new MessageView(
            entry.Id, message.Header, entry.DeliveryCount, bodyBytes, entry.State.ToString(),
            payload[..Math.Min(payload.Length, PayloadHeadBytesMax)].ToArray());
    }

    private sealed record Place(QueueEntry Entry);
}
