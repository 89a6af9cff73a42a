using System.Runtime.CompilerServices;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>
/// Feeds a queue from a stream: a bounded window of entries that point into the partitions' logs, loaded as consumers
/// settle what is there. What is settled is a mark and some stretches per partition, not a list of messages. The
/// shard's, except where said.
/// </summary>
internal sealed class StreamFeed : IReadWaiter, IShardWork, IThreadPoolWorkItem, IDisposable
{
    /// <summary>Entries that wait for consumers at most, and when new ones are loaded.</summary>
    private const int ReadyMax = 1000;

    private const int ReadyMin = ReadyMax / 2;

    /// <summary>Entries at most, with those that consumers hold or that wait for their time.</summary>
    private const int LoadedMax = 20_000;

    /// <summary>Stretches of settled records of a partition at which no more are loaded until the oldest record is
    /// settled.</summary>
    private const int RangesMax = 4096;

    /// <summary>Records of one partition before the next one has its turn.</summary>
    private const int RecordsPerTurn = 256;

    private const int WaitMs = 60_000;
    private const int RetryMs = 1000;

    private readonly Queue _queue;
    private readonly bool _followsAll;
    private readonly StretchReader _reader = new();
    private readonly Dictionary<long, AttemptFields> _attempts = [];
    private volatile FeedCursor[] _cursors = [];
    private RecordStream? _stream;
    private ReadAwaiter? _awaiter;
    private bool _isReading;
    private bool _isWaiting;
    private bool _isStalled;
    private bool _isClosed;
    private uint _turn;
    private long _retryAtMs;

    public StreamFeed(Queue queue, string streamName, bool followsAll)
    {
        _queue = queue;
        _followsAll = followsAll;
        StreamName = streamName;
    }

    public string StreamName { get; }

    /// <summary>The stream whose offsets these are; empty: none yet.</summary>
    public Guid StreamId { get; private set; }

    /// <summary>Where it is, by partition. Any thread.</summary>
    public IReadOnlyList<FeedCursor> Cursors => _cursors;

    /// <summary>Records come from disk.</summary>
    public bool IsReading => _isReading;

    /// <summary>There may be records that can be loaded at once.</summary>
    public bool HasMore => !_isClosed && !_isReading && !_isWaiting && !_isStalled && _retryAtMs == 0
        && _cursors.Length > 0 && HasRoom;

    /// <summary>It waits for a time.</summary>
    public bool NeedsTicks => _retryAtMs != 0 || Group is not null;

    /// <summary>What prepared branches hold since before the node's start; null: nothing.</summary>
    public StagedRecords? Staged { get; private set; }

    /// <summary>The group that it reads for; null: none.</summary>
    public GroupReading? Group { get; set; }

    /// <summary>Records that are not settled. Any thread.</summary>
    public long Backlog
    {
        get
        {
            long backlog = 0;
            foreach (FeedCursor cursor in _cursors)
            {
                backlog += cursor.Backlog;
            }

            return backlog;
        }
    }

    private Shard Shard => _queue.Shard;

    /// <summary>Attempts of records that are not loaded yet, for snapshots.</summary>
    public IReadOnlyCollection<AttemptFields> WaitingAttempts
    {
        get
        {
            foreach (long id in _attempts.Keys.Where(IsSettled).ToArray())
            {
                _attempts.Remove(id);
            }

            return _attempts.Values;
        }
    }

    /// <summary>The partition of a number. Any thread.</summary>
    public Partition? PartitionOf(int number) => FindCursor(number)?.Partition;

    /// <summary>Loads the first entries. Any thread.</summary>
    public void Begin() => Shard.Post(new ShardAction(_ => Wake()));

    /// <summary>Whether retention, not damage, is why a record cannot be read.</summary>
    public bool IsLost(long id) => PartitionOf(RecordId.Partition(id)) is not { } partition
        || partition.Stream.IsDeleted || RecordId.Offset(id) < partition.StartOffset;

    /// <summary>The cursor of a partition that the disk knows; before the shards run.</summary>
    public FeedCursor Recover(int partition) => FindCursor(partition) ?? Place(StreamId, partition, 0);

    /// <summary>A prepared branch has settled a record; before the shards run.</summary>
    public void Stage(long id, int owner, uint stamp) => (Staged ??= new StagedRecords(_queue)).Add(id, owner, stamp);

    /// <summary>Puts the places of partitions, before anything was loaded.</summary>
    public void Place(FeedPlaces? places)
    {
        foreach ((int partition, long offset) in places?.Offsets ?? [])
        {
            Place(places!.Stream, partition, offset);
        }
    }

    /// <summary>Puts a partition's place, before the shards run or before anything was loaded of it.</summary>
    public FeedCursor Place(Guid stream, int partition, long offset)
    {
        StreamId = stream;
        if (FindCursor(partition) is { } known)
        {
            known.MoveTo(offset);
            return known;
        }

        FeedCursor cursor = new(partition, offset);
        _cursors = [.. _cursors, cursor];
        return cursor;
    }

    /// <summary>The cursor of a partition; null when it takes none of that.</summary>
    public FeedCursor? FindCursor(int partition)
    {
        FeedCursor[] cursors = _cursors;
        if (partition < cursors.Length && cursors[partition].Number == partition)
        {
            return cursors[partition];
        }

        return Array.Find(cursors, cursor => cursor.Number == partition);
    }

    /// <summary>A failed attempt that the journal has of a record that is not loaded.</summary>
    public void Note(in AttemptFields fields)
    {
        _attempts.TryGetValue(fields.MessageId, out AttemptFields known);
        _attempts[fields.MessageId] = fields with { Count = Math.Max(fields.Count, known.Count) };
    }

    /// <summary>Loads entries when few are left.</summary>
    public void Fill()
    {
        if (_isReading || _isWaiting || _isClosed || _queue.Counters.Ready >= ReadyMin || Shard.NowMs < _retryAtMs
            || !TryBind())
        {
            return;
        }

        _retryAtMs = 0;
        _isStalled = false;
        bool more = true;
        while (more && !_isReading && HasRoom)
        {
            more = false;
            for (int i = 0; i < _cursors.Length && !_isReading && HasRoom; i++)
            {
                FeedCursor cursor = _cursors[_turn++ % (uint)_cursors.Length];
                _isStalled |= cursor.Progress.Ranges.Count >= RangesMax;
                more |= cursor.Progress.Ranges.Count < RangesMax && Load(cursor);
            }
        }

        if (!_isReading && HasRoom && !_isStalled)
        {
            Await();
        }
    }

    /// <summary>A record that is in memory; the bytes are good until the next call.</summary>
    public bool TryRead(long id, out RecordPlace place, out ReadOnlyMemory<byte> record)
    {
        place = default;
        record = default;
        long offset = RecordId.Offset(id);
        if (PartitionOf(RecordId.Partition(id)) is not { } partition
            || _reader.TryFind(partition, offset, out RecordStretch? stretch) != StretchFound.Here
            || !stretch!.TryGet(offset, out place))
        {
            return false;
        }

        record = stretch.Record(place);
        return true;
    }

    /// <summary>Brings a record into memory, then goes on in the shard; with a reason when there is none.</summary>
    public async Task LoadAsync(long id, Action<string?> then)
    {
        string? problem = "there is no such record any more";
        RecordStretch? stretch = null;
        try
        {
            Partition? partition = PartitionOf(RecordId.Partition(id));
            stretch = partition is null ? null
                : await StretchReader.ReadAsync(partition, RecordId.Offset(id)).ConfigureAwait(false);
            problem = stretch?.TryGet(RecordId.Offset(id), out _) == true ? null : problem;
        }
        catch (StorageException e)
        {
            problem = e.Message;
        }

        Shard.Post(new ShardAction(_ =>
        {
            Take(stretch);
            then(problem);
        }));
    }

    /// <summary>A record has left the queue.</summary>
    public void OnRemoved(in QueueEntry entry, bool journal)
    {
        int partition = RecordId.Partition(entry.Id);
        long offset = RecordId.Offset(entry.Id);
        if (FindCursor(partition) is { } cursor)
        {
            cursor.Progress.Settle(offset);
            if (journal && _queue.IsDurable)
            {
                Shard.Settlements.RecordSettled(_queue.Id, partition, offset);
            }
        }
    }

    /// <summary>Goes on from other offsets: what is loaded of those partitions and not with a consumer is loaded
    /// anew.</summary>
    public void MoveTo(FeedPlaces places)
    {
        foreach ((int partition, _) in places.Offsets)
        {
            Unload(partition);
        }

        Place(places);
        if (_queue.IsDurable)
        {
            Shard.Settlements.Moved(_queue.Id, places);
        }

        Wake();
    }

    /// <summary>Takes a partition in.</summary>
    public void Add(Partition partition, long offset)
    {
        Place(partition.Stream.Id, partition.Number, offset).Partition = partition;
        Wake();
    }

    /// <summary>Gives a partition up.</summary>
    public void Remove(int partition)
    {
        Unload(partition);
        _cursors = Array.FindAll(_cursors, cursor => cursor.Number != partition);
        Wake();
    }

    /// <summary>The queue goes.</summary>
    public void Dispose()
    {
        _isClosed = true;
        Group?.Close();
        _awaiter?.Cancel();
        _reader.Dispose();
    }

    /// <summary>Any thread: there is something to read, or the time is over.</summary>
    void IReadWaiter.OnReadable()
    {
        // The thread that tells has other things to do, and perhaps a lock.
        if (Shard.Services.Options.OwnThreads)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            Shard.Post(this);
        }
    }

    void IThreadPoolWorkItem.Execute() => Shard.Post(this);

    void IShardWork.Run(Shard shard) => Wake();

    private bool IsSettled(long id) =>
        FindCursor(RecordId.Partition(id))?.Progress.IsSettled(RecordId.Offset(id)) == true;

    private bool HasRoom => _queue.Counters.Ready < ReadyMax && _queue.Counters.Messages < LoadedMax;

    private void Wake()
    {
        _isWaiting = false;
        Shard.MarkDirty(_queue);
    }

    // A stream that was deleted and made anew has other records: what was settled of the old ones means nothing.
    private bool TryBind()
    {
        StreamCatalog? catalog = Shard.Services.Streams.GetValueOrDefault(_queue.Space.Name);
        RecordStream? stream = catalog?.Find(StreamName);
        if (stream is null)
        {
            _retryAtMs = Shard.NowMs + RetryMs;
            _queue.UpdateTimed();
            return false;
        }

        if (!ReferenceEquals(stream, _stream))
        {
            Bind(stream);
        }

        for (int number = _cursors.Length; _followsAll && number < stream.Partitions.Count; number++)
        {
            Place(stream.Id, number, 0).Partition = stream.Partitions[number];
        }

        return _cursors.Length > 0;
    }

    private void Bind(RecordStream stream)
    {
        bool isOther = StreamId != Guid.Empty && StreamId != stream.Id;
        _stream = stream;
        StreamId = stream.Id;
        if (isOther)
        {
            Staged?.Clear();
        }

        foreach (FeedCursor cursor in _cursors)
        {
            if (isOther)
            {
                Unload(cursor.Number);
                cursor.MoveTo(0);
            }

            cursor.Partition = stream.FindPartition(cursor.Number);
        }
    }

    // True: something was loaded or passed over.
    private bool Load(FeedCursor cursor)
    {
        if (cursor.Partition is not { } partition)
        {
            return false;
        }

        cursor.SkipGone();
        cursor.SeenEnd = partition.LastStableOffset;
        if (cursor.At >= cursor.SeenEnd)
        {
            return false;
        }

        StretchFound found = _reader.TryFind(partition, cursor.At, out RecordStretch? stretch);
        if (found == StretchFound.Here)
        {
            LoadFrom(cursor, stretch!);
            return true;
        }

        if (found == StretchFound.OnDisk)
        {
            _isReading = true;
            _ = ReadAsync(partition, cursor.At);
        }

        return false;
    }

    private void LoadFrom(FeedCursor cursor, RecordStretch stretch)
    {
        int left = (int)Math.Min(RecordsPerTurn, ReadyMax - _queue.Counters.Ready);
        int index = stretch.Find(cursor.At);
        for (; index < stretch.Count && left > 0; index++)
        {
            RecordPlace place = stretch.Places[index];
            cursor.Progress.Settle(cursor.At, place.Offset);
            cursor.At = place.Offset + 1;
            if (cursor.Progress.IsSettled(place.Offset))
            {
                continue;
            }

            left--;
            if (_queue.Filter is null || Matches(stretch, place))
            {
                Enter(cursor, place);
            }
            else
            {
                cursor.Progress.Settle(place.Offset);
            }
        }

        if (index == stretch.Count)
        {
            cursor.Progress.Settle(cursor.At, stretch.To);
            cursor.At = Math.Max(cursor.At, stretch.To);
        }
    }

    private bool Matches(RecordStretch stretch, in RecordPlace place) => _queue.Filter!.Matches(
        StreamMessages.HeaderOf(place), stretch.Record(place).Span, Shard.Services.ReaderOf(PayloadFormat.KafkaRecord));

    private void Enter(FeedCursor cursor, in RecordPlace place)
    {
        long id = RecordId.Of(cursor.Number, place.Offset);
        QueueEntry entry = new()
        {
            Id = id,
            Position = id,
            RecordBytes = place.Bytes,
            State = EntryState.Ready,
        };
        bool wasTried = _attempts.Remove(id, out AttemptFields tried);
        if (wasTried)
        {
            StreamMessages.Apply(ref entry, tried, _queue);
        }

        long sequence = _queue.Contents.Add(entry, MessageHeader.DefaultPriority, 0);
        _queue.Counters.EnqueuedTotal++;
        if (tried.DueMs > Shard.NowMs)
        {
            _queue.Delay(
                ref _queue.Find(MessageHeader.DefaultPriority, sequence), MessageHeader.DefaultPriority, sequence,
                tried.DueMs);
        }

        Staged?.Hold(
            ref _queue.Find(MessageHeader.DefaultPriority, sequence), MessageHeader.DefaultPriority, sequence);
    }

    private void Unload(int partition)
    {
        foreach ((byte priority, long sequence) in _queue.Contents.Places(entry => RecordId.Is(entry.Id)
            && RecordId.Partition(entry.Id) == partition && entry.State is EntryState.Ready or EntryState.Delayed))
        {
            ref QueueEntry entry = ref _queue.Find(priority, sequence);
            if (!Unsafe.IsNullRef(ref entry) && RecordId.Is(entry.Id) && RecordId.Partition(entry.Id) == partition)
            {
                _queue.Contents.Remove(ref entry, priority, sequence);
            }
        }
    }

    private async Task ReadAsync(Partition partition, long offset)
    {
        try
        {
            RecordStretch? stretch = await StretchReader.ReadAsync(partition, offset).ConfigureAwait(false);
            Shard.Post(new ShardAction(_ => OnRead(stretch)));
        }
        catch (StorageException e)
        {
            Shard.Post(new ShardAction(_ => OnFailed(partition, offset, e)));
        }
    }

    private void OnRead(RecordStretch? stretch)
    {
        _isReading = false;
        Take(stretch);
        Shard.MarkDirty(_queue);
    }

    private void Take(RecordStretch? stretch)
    {
        if (stretch is not null && _isClosed)
        {
            stretch.Release();
        }
        else if (stretch is not null)
        {
            _reader.Keep(stretch);
        }
    }

    private void OnFailed(Partition partition, long offset, StorageException failure)
    {
        _isReading = false;
        _retryAtMs = Shard.NowMs + RetryMs;
        BrokerLog.FeedFailed(Shard.Services.Logger, _queue.Config.Name, partition.Number, offset, failure);
        _queue.UpdateTimed();
    }

    private void Await()
    {
        _awaiter ??= new ReadAwaiter(Shard.Services.Streams[_queue.Space.Name], this);
        _awaiter.Begin(1, WaitMs);
        foreach (FeedCursor cursor in _cursors)
        {
            if (cursor.Partition is { } partition)
            {
                _awaiter.Add(partition, cursor.SeenEnd, Isolation.Committed);
            }
        }

        _isWaiting = true;
        if (!_awaiter.Arm())
        {
            Wake();
        }
    }
}
