using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>Whether a consumer wants a message.</summary>
internal enum Match
{
    No,
    Yes,

    /// <summary>The message must be read from disk first; the queue is dispatched again when it is there.</summary>
    Wait,
}

/// <summary>
/// A consumer's choice among the messages of its queue (selector, no-local, those it gave back for good, browsing),
/// with a cursor
/// per priority so that it looks at each message once. The shard's.
/// </summary>
internal sealed class ConsumerFilter
{
    /// <summary>Messages that one consumer can exclude for itself; the oldest exclusion is forgotten beyond.</summary>
    private const int ExcludedMax = 10_000;

    private readonly BrokerServices _services;
    private readonly Selector? _test;
    private readonly ulong _notFrom;
    private readonly EntryCursor?[] _cursors = new EntryCursor?[Queue.Priorities];
    private readonly HashSet<(byte, long)> _excluded = [];
    private readonly Queue<(byte, long)> _excludedOrder = new();
    private LogLease _loaded;
    private (byte Priority, long Sequence) _loadedFor = (255, -1);
    private bool _waits;

    public ConsumerFilter(BrokerServices services, Selector? test, ulong notFrom)
    {
        _services = services;
        _test = test;
        _notFrom = notFrom;
    }

    /// <summary>A message that it may want is being read.</summary>
    public bool IsWaiting => _waits || _loadedFor.Sequence >= 0;

    public EntryCursor CursorOf(byte priority) => _cursors[priority] ??= new EntryCursor();

    /// <summary>An entry is ready again.</summary>
    public void Return(EntryList list, byte priority, long sequence) => _cursors[priority]?.Return(list, sequence);

    /// <summary>Looks at everything of a priority from a place on again.</summary>
    public void Rewind(byte priority, long sequence) => _cursors[priority]?.LookAgain(sequence);

    /// <summary>Never again this message for this consumer.</summary>
    public void Exclude(byte priority, long sequence)
    {
        if (_excluded.Add((priority, sequence)))
        {
            _excludedOrder.Enqueue((priority, sequence));
        }

        if (_excludedOrder.Count > ExcludedMax)
        {
            _excluded.Remove(_excludedOrder.Dequeue());
        }
    }

    /// <summary>Whether the consumer wants an entry.</summary>
    public Match Test(Queue queue, in QueueEntry entry, byte priority, long sequence)
    {
        if (_excluded.Count > 0 && _excluded.Contains((priority, sequence)))
        {
            return Match.No;
        }

        if (_test is null && _notFrom == 0)
        {
            return Match.Yes;
        }

        if (_loadedFor == (priority, sequence))
        {
            bool matches = Test(_loaded.Span);
            DropLoaded();
            return matches ? Match.Yes : Match.No;
        }

        if (_waits)
        {
            return Match.Wait;
        }

        if (entry.IsRecord)
        {
            return TestRecord(queue, entry.Id, priority, sequence);
        }

        SegmentedLog log = _services.LogOf(entry.Has(EntryFlags.InJournal));
        if (log.TryRead(entry.Position, out LogLease lease))
        {
            using (lease)
            {
                return Test(lease.Span) ? Match.Yes : Match.No;
            }
        }

        _waits = true;
        _ = LoadAsync(queue, log, entry.Position, priority, sequence);
        return Match.Wait;
    }

    /// <summary>Lets go of what was read ahead.</summary>
    public void DropLoaded()
    {
        if (_loadedFor.Sequence >= 0)
        {
            _loaded.Dispose();
            _loadedFor = (255, -1);
        }
    }

    private async Task LoadAsync(Queue queue, SegmentedLog log, long position, byte priority, long sequence)
    {
        try
        {
            LogLease lease = await log.ReadAsync(position, CancellationToken.None).ConfigureAwait(false);
            queue.Shard.Post(new Shards.ShardAction(_ => OnLoaded(queue, lease, priority, sequence)));
        }
        catch (StorageException e)
        {
            queue.Shard.Post(new Shards.ShardAction(_ => OnDamaged(queue, e, priority, sequence)));
        }
    }

    private void OnLoaded(Queue queue, LogLease lease, byte priority, long sequence)
    {
        DropLoaded();
        _waits = false;
        _loaded = lease;
        _loadedFor = (priority, sequence);
        queue.Shard.MarkDirty(queue);
    }

    private void OnDamaged(Queue queue, StorageException damage, byte priority, long sequence)
    {
        _waits = false;
        queue.QuarantineReady(priority, sequence, damage.Message);
        queue.Shard.MarkDirty(queue);
    }

    private Match TestRecord(Queue queue, long id, byte priority, long sequence)
    {
        if (queue.Feed!.TryRead(id, out RecordPlace place, out ReadOnlyMemory<byte> record))
        {
            bool matches = _test is null || _test.Matches(
                StreamMessages.HeaderOf(place), record.Span, _services.ReaderOf(Model.PayloadFormat.KafkaRecord));
            return matches ? Match.Yes : Match.No;
        }

        _waits = true;
        _ = queue.Feed.LoadAsync(id, problem =>
        {
            _waits = false;
            if (problem is not null)
            {
                queue.QuarantineReady(priority, sequence, problem);
            }

            queue.Shard.MarkDirty(queue);
        });
        return Match.Wait;
    }

    private bool Test(ReadOnlySpan<byte> record)
    {
        if (!MessageRecord.TryRead(record, out StoredMessage message))
        {
            return false;
        }

        if (_notFrom != 0 && message.Publisher == _notFrom)
        {
            return false;
        }

        return _test is null || _test.Matches(message.Header, record[message.PayloadOffset..],
            _services.ReaderOf(message.Header.Format));
    }
}
