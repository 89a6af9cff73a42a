using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;

namespace Pillarbox.Broker.Addresses;

/// <content>
/// Subscriptions that follow streams. Each stream that a pattern of such a subscription matches is read for it by a
/// queue of its own, its reader, which keeps the place. What goes into that stream comes by the reader alone. A reader
/// comes with the pattern or with the stream, whichever is later, and goes with whichever goes first, or with the
/// subscription.
/// </content>
internal sealed partial class AddressSpace
{
    // Between the names of the subscription and of the stream. A percent sign that stands for itself is escaped by
    // whoever makes names from a user's text.
    private const string ReaderMark = "%>";

    private StreamCatalog? Catalog => services.Streams.GetValueOrDefault(Name);

    /// <summary>A stream comes into being: those who read it are there before anybody can write to it.</summary>
    public void StreamMade(RecordStream stream, Action enter)
    {
        ReaderChanges changes = new();
        lock (_gate)
        {
            foreach (Queue queue in stream.IsInternal ? [] : FollowersLocked(stream.Name))
            {
                TryRead(queue, stream, StreamStart.First, changes);
            }

            enter();
        }

        changes.Tell();
    }

    /// <summary>A stream is gone, and so are those who read it.</summary>
    public void StreamGone(RecordStream stream)
    {
        ReaderChanges changes = new();
        lock (_gate)
        {
            foreach (Queue queue in FollowersLocked(stream.Name))
            {
                if (queue.Readers?.GetValueOrDefault(stream.Name) is { } reader)
                {
                    TryEnd(reader, changes);
                }
            }
        }

        changes.Tell();
    }

    /// <summary>The readers of a subscription; the watch hears of each later one.</summary>
    public IReadOnlyList<string> WatchReaders(Queue queue, QueueWatch watch) => Frozen(() =>
    {
        _watches.Add(watch);
        return (IReadOnlyList<string>)[.. (queue.Readers ?? []).Values.Select(reader => reader.Config.Name)
            .Order(StringComparer.Ordinal)];
    });

    /// <summary>The queue of a subscription, or one that reads a stream for it, by its number; null: it has none of
    /// that.</summary>
    public Queue? FindOf(string subscription, long number) => Frozen(() =>
    {
        Queue? queue = FindQueue(subscription);
        return queue?.Id == number ? queue : queue?.Readers?.Values.FirstOrDefault(reader => reader.Id == number);
    });

    /// <summary>After a start: what was made of subscriptions, patterns and streams, and their readers, is put
    /// together; what a crash left halfway is brought to its end. The journal takes appends.</summary>
    public void RecoverReaders()
    {
        ReaderChanges changes = new();
        lock (_gate)
        {
            HashSet<Queue> full = LinkReaders(changes);
            foreach (RecordStream stream in Catalog?.All.Where(stream => !stream.IsInternal) ?? [])
            {
                foreach (Queue queue in FollowersLocked(stream.Name))
                {
                    // Of one that had all that it may have, nobody knows whether it was to read this one.
                    TryRead(queue, stream, full.Contains(queue) ? StreamStart.Next : StreamStart.First, changes);
                }
            }
        }

        changes.Tell();
    }

    // Returns the subscriptions that had as many readers as they may have.
    private HashSet<Queue> LinkReaders(ReaderChanges changes)
    {
        Dictionary<Queue, int> counts = [];
        foreach (Queue reader in _queues.Values.Where(queue => queue.Config.ReadsFor is not null).ToArray())
        {
            Queue? queue = FindQueue(reader.Config.ReadsFor!);
            string stream = reader.Config.Stream!;
            bool isWanted = queue is { Config.StreamsMax: > 0 } && Catalog?.FindPublic(stream) is not null
                && IsBound(queue, stream);
            if (queue is not null)
            {
                counts[queue] = counts.GetValueOrDefault(queue) + 1;
            }

            if (isWanted)
            {
                (queue!.Readers ??= new(StringComparer.Ordinal))[stream] = reader;
            }
            else
            {
                TryEnd(reader, changes);
            }
        }

        return [.. counts.Where(one => one.Value >= one.Key.Config.StreamsMax).Select(one => one.Key)];
    }

    // Before the pattern is bound: what is appended from now on is for the subscription.
    private void FollowLocked(Queue queue, string pattern, ReaderChanges changes)
    {
        if (queue.Config.StreamsMax == 0 || Catalog is null)
        {
            return;
        }

        bool isWildcard = AddressPattern.IsWildcard(pattern);
        foreach (RecordStream stream in StreamsOf(pattern, isWildcard))
        {
            if (!HasRoom(queue, stream.Name) && !isWildcard)
            {
                throw new BrokerException(
                    BrokerError.ResourceLimitExceeded,
                    $"the subscription reads at most {queue.Config.StreamsMax} streams");
            }

            Read(queue, stream, StreamStart.Next, changes);
        }
    }

    private IEnumerable<RecordStream> StreamsOf(string pattern, bool isWildcard)
    {
        if (isWildcard)
        {
            return Catalog!.All.Where(stream => !stream.IsInternal && AddressPattern.Matches(pattern, stream.Name))
                .OrderBy(stream => stream.Name, StringComparer.Ordinal);
        }

        return Catalog!.FindPublic(pattern) is { } one ? [one] : [];
    }

    // After a pattern was unbound: what no other one matches is no longer read.
    private void UnfollowLocked(Queue queue, string pattern, ReaderChanges changes)
    {
        foreach ((string stream, Queue reader) in queue.Readers?.ToArray() ?? [])
        {
            if (AddressPattern.Matches(pattern, stream) && !IsBound(queue, stream))
            {
                TryEnd(reader, changes);
            }
        }
    }

    private static bool IsBound(Queue queue, string stream) =>
        queue.Bindings?.Any(pattern => AddressPattern.Matches(pattern, stream)) == true;

    private List<Queue> FollowersLocked(string stream)
    {
        List<Queue> matches = [];
        _patterns.Match(stream, matches);
        return [.. matches.Where(queue => queue.Config.StreamsMax > 0).Distinct()];
    }

    private static bool HasRoom(Queue queue, string stream) =>
        queue.Readers is not { } readers || readers.Count < queue.Config.StreamsMax || readers.ContainsKey(stream);

    private void TryRead(Queue queue, RecordStream stream, StreamStart start, ReaderChanges changes)
    {
        try
        {
            Read(queue, stream, start, changes);
        }
        catch (BrokerException problem)
        {
            BrokerLog.NotFollowed(services.Logger, queue.Config.Name, stream.Name, problem.Message);
        }
    }

    // With one too many, or with a name that is taken, the subscription goes on without: it gets what is published to
    // the node.
    private void Read(Queue queue, RecordStream stream, StreamStart start, ReaderChanges changes)
    {
        string name = queue.Config.Name + ReaderMark + stream.Name;
        if (queue.Readers?.ContainsKey(stream.Name) == true)
        {
            return;
        }

        if (!HasRoom(queue, stream.Name) || _queues.ContainsKey(name))
        {
            BrokerLog.NotFollowed(
                services.Logger, queue.Config.Name, stream.Name, $"it may read {queue.Config.StreamsMax} streams");
            return;
        }

        QueueConfig config = queue.Config with
        {
            Name = name,
            Address = stream.Name,
            Stream = stream.Name,
            StreamsMax = 0,
            ReadsFor = queue.Config.Name,
            DeleteOnNoConsumers = false,
            TransientMax = -1,
        };
        long id = bindings.NextQueueId();
        FeedPlaces places = FeedPlaces.Of(stream, start);
        if (queue.IsDurable)
        {
            bindings.QueueCreated(Name, id, config, places);
        }

        Queue reader = AddLocked(id, config, null, places);
        (queue.Readers ??= new(StringComparer.Ordinal))[stream.Name] = reader;
        changes.Made.Add(reader);
        _watches.Tell(config);
    }

    private void TryEnd(Queue reader, ReaderChanges changes)
    {
        try
        {
            EndLocked(reader, journal: true, changes);
        }
        catch (BrokerException problem)
        {
            // The disk takes nothing: it ends with the next start.
            BrokerLog.NotFollowed(
                services.Logger, reader.Config.ReadsFor!, reader.Config.Stream!, problem.Message);
        }
    }

    private void EndLocked(Queue reader, bool journal, ReaderChanges changes)
    {
        RemoveQueueLocked(reader, journal, changes);
        changes.Ended.Add(reader);
    }

    // A queue went: those who read for it go too, after it, and it knows no more of itself as a reader.
    private void EndReadersLocked(Queue queue, bool journal, ReaderChanges changes)
    {
        foreach (Queue reader in queue.Readers?.Values.ToArray() ?? [])
        {
            if (journal)
            {
                TryEnd(reader, changes);
            }
            else
            {
                EndLocked(reader, journal: false, changes);
            }
        }

        if (queue.Config.ReadsFor is { } name && FindQueue(name) is { Readers: { } readers }
            && readers.GetValueOrDefault(queue.Config.Stream!) == queue)
        {
            readers.Remove(queue.Config.Stream!);
        }
    }
}
