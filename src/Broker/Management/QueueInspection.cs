using System.Collections.Concurrent;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
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

    /// <summary>First messages whose age is remembered.</summary>
    private const int HeadsMax = 20_000;

    private readonly ConcurrentDictionary<(long Queue, long Id, bool InJournal), long> _publishedAt = new();

    /// <summary>A queue's figures; any thread, so they may be a little apart from each other.</summary>
    public static QueueView View(Queue queue, long? oldestPublishedAtMs = null)
    {
        QueueCounters counters = queue.Counters;
        return new QueueView(
            queue.Space.Name, queue.Config, queue.IsPaused,
                MessagesOf(queue),
                Volatile.Read(ref counters.Bytes),
            Volatile.Read(ref counters.Ready), Volatile.Read(ref counters.InFlight),
                Volatile.Read(ref counters.Delayed),
            queue.Admission.Consumers, Volatile.Read(ref counters.EnqueuedTotal),
                Volatile.Read(ref counters.AcknowledgedTotal),
            Volatile.Read(ref counters.ExpiredTotal), Volatile.Read(ref counters.DeadLetteredTotal),
                oldestPublishedAtMs)
        {
            Progress = queue.Feed is null ? null
                : [.. queue.Feed.Cursors.Where(cursor => !cursor.IsGone).Select(ViewOf)],
        };
    }

    /// <summary>Messages of a queue, with those of its stream that are not loaded. Any thread.</summary>
    public static long MessagesOf(Queue queue) =>
        Math.Max(Volatile.Read(ref queue.Counters.Messages), queue.Feed?.Backlog ?? 0);

    private static FeedProgressView ViewOf(FeedCursor cursor) => new(
        cursor.Number, cursor.Progress.Mark, cursor.Progress.SettledAbove, cursor.Partition?.LastStableOffset ?? -1,
        cursor.Backlog);

    /// <summary>The same with the age of the oldest message: of those that are first in their priority, for the others
    /// came after them.</summary>
    public async Task<QueueView> ViewWithOldestAsync(Queue queue)
    {
        if (Volatile.Read(ref queue.Counters.Messages) == 0)
        {
            return View(queue);
        }

        long? oldest = null;
        foreach (Place place in await FirstsAsync(queue).ConfigureAwait(false))
        {
            long published = await PublishedAtAsync(queue, place).ConfigureAwait(false);
            oldest = published > 0 && (oldest is null || published < oldest) ? published : oldest;
        }

        return View(queue, oldest);
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

            if (await ReadAsync(queue, place, selector).ConfigureAwait(false) is { } view)
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

    private static Task<List<Place>> FirstsAsync(Queue queue) => queue.Shard.Ask(_ =>
    {
        List<Place> places = [];
        for (int priority = 0; priority < Queue.Priorities; priority++)
        {
            EntryList? list = queue.Contents.ListOf(priority);
            long at = list?.FirstPresent() ?? -1;
            if (at >= 0)
            {
                places.Add(new Place(list!.Find(at)));
            }
        }

        return places;
    });

    // The head of a queue that stands still is asked for again and again: it is read once.
    private async Task<long> PublishedAtAsync(Queue queue, Place place)
    {
        (long, long, bool) key = (queue.Id, place.Entry.Id, place.Entry.Has(EntryFlags.InJournal));
        if (_publishedAt.TryGetValue(key, out long known))
        {
            return known;
        }

        MessageView? message = await ReadAsync(queue, place, null).ConfigureAwait(false);
        long published = message?.Header.PublishedAtMs ?? 0;
        if (_publishedAt.Count >= HeadsMax)
        {
            _publishedAt.Clear();
        }

        return _publishedAt[key] = published;
    }

    private static Task<List<Place>> PlacesAsync(Queue queue, int max) => queue.Shard.Ask(_ =>
    {
        List<Place> places = [];
        foreach ((byte priority, long sequence) in queue.Contents.Places(_ => true, max))
        {
            places.Add(new Place(queue.Find(priority, sequence)));
        }

        return places;
    });

    private async Task<MessageView?> ReadAsync(Queue queue, Place place, Selector? selector)
    {
        if (place.Entry.IsRecord)
        {
            return await ReadRecordAsync(queue, place, selector).ConfigureAwait(false);
        }

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

    private async Task<MessageView?> ReadRecordAsync(Queue queue, Place place, Selector? selector)
    {
        QueueEntry entry = place.Entry;
        long offset = RecordId.Offset(entry.Id);
        Partition? partition = queue.Feed!.PartitionOf(RecordId.Partition(entry.Id));
        RecordStretch? stretch = partition is null ? null
            : await StretchReader.ReadAsync(partition, offset).ConfigureAwait(false);
        try
        {
            if (stretch is null || !stretch.TryGet(offset, out RecordPlace found))
            {
                return null;
            }

            ReadOnlySpan<byte> record = stretch.Record(found).Span;
            MessageHeader header = StreamMessages.HeaderOf(found);
            return selector?.Matches(header, record, services.ReaderOf(header.Format)) == false
                ? null
                : new MessageView(
                    entry.Id, header, entry.DeliveryCount, record.Length, entry.State.ToString(),
                    record[..Math.Min(record.Length, PayloadHeadBytesMax)].ToArray());
        }
        finally
        {
            stretch?.Release();
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
