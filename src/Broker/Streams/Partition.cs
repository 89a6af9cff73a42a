using System.Buffers;
using Pillarbox.Model.Records;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// One partition of a stream. Appends are serialized by its one lock, which is held for a check, a copy and the place
/// in
/// the log: shorter than handing the batch to another thread would take. Any thread.
/// </summary>
public sealed class Partition : IPartitionEvents
{
    /// <summary>Ids of producers from here on are the node's own; those of clients are counted from 0.</summary>
    internal const long OwnProducersFrom = 1L << 62;

    private readonly Lock _gate = new();
    private readonly StreamServices _services;
    private readonly PartitionLog _log;
    private readonly PartitionState _state;
    private readonly ReadAwaiterList _awaiters = new();
    private long _startOffset;
    private long _highWatermark;
    private long _signalledBytes;

    internal Partition(RecordStream stream, PartitionLog log, PartitionState state, StreamServices services)
    {
        Stream = stream;
        _log = log;
        _state = state;
        _services = services;
        _startOffset = log.StartOffset;
        _highWatermark = log.DurableOffset;
        log.Events = this;
    }

    /// <summary>The stream it is a part of.</summary>
    public RecordStream Stream { get; }

    /// <summary>Its number, from 0.</summary>
    public int Number => _log.Number;

    /// <summary>The first offset that can be read.</summary>
    public long StartOffset => Volatile.Read(ref _startOffset);

    /// <summary>Everything below is durable and can be read.</summary>
    public long HighWatermark => Volatile.Read(ref _highWatermark);

    /// <summary>Everything below is durable and decided: no transaction is open there.</summary>
    public long LastStableOffset
    {
        get
        {
            // In this order: a transaction is known before its records are durable.
            long highWatermark = HighWatermark;
            long undecided = _state.Transactions.FirstUndecided;
            return undecided < 0 ? highWatermark : Math.Min(undecided, highWatermark);
        }
    }

    /// <summary>The offset that the next record gets.</summary>
    public long EndOffset => _log.NextOffset;

    /// <summary>How often the partition has changed its leader, or come up after a crash.</summary>
    public int LeaderEpoch { get; internal init; }

    /// <summary>Bytes on disk.</summary>
    public long SizeBytes => _log.SizeBytes;

    internal PartitionCounters Counters { get; } = new();

    internal ReadAwaiterList Awaiters => _awaiters;

    internal PartitionLog Log => _log;

    internal StreamServices Services => _services;

    /// <summary>As <see cref="Append(ReadOnlySpan{byte}, in AppendOptions)"/>, of bytes in pieces.</summary>
    public AppendResult Append(in ReadOnlySequence<byte> batch, in AppendOptions options)
    {
        if (batch.IsSingleSegment)
        {
            return Append(batch.FirstSpan, options);
        }

        int length = checked((int)batch.Length);
        byte[] whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            batch.CopyTo(whole);
            return Append(whole.AsSpan(0, length), options);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    /// <summary>Checks and appends exactly one batch of format 2. The bytes are copied. The producer may be told when
    /// <see cref="AppendResult.DurableAt"/> is durable.</summary>
    public AppendResult Append(ReadOnlySpan<byte> batch, in AppendOptions options)
    {
        if (Stream.IsInternal && options.Origin == AppendOrigin.Client)
        {
            return AppendResult.Refused(StreamError.InvalidName, "only the node itself writes to its own streams");
        }

        StreamConfig config = Stream.Config;
        long nowMs = _services.NowMs;
        AppendResult? refused = BatchRules.Check(
            batch, config, options.Origin, nowMs, out RecordBatch checkedBatch, out long timestampMaxMs);
        if (refused is null && checkedBatch.SizeBytes != batch.Length)
        {
            refused = AppendResult.Refused(StreamError.InvalidRecord, "one batch is taken at a time");
        }

        if (refused is { } result)
        {
            return result;
        }

        BatchTimes times = config.IsAppendTime ? new BatchTimes(nowMs, null)
            : timestampMaxMs != checkedBatch.MaxTimestampMs ? new BatchTimes(null, timestampMaxMs)
            : default;
        return config.Compression is { } compression && compression != checkedBatch.Compression
            ? AppendRecompressed(checkedBatch, compression, config.CompressionLevel, options, times)
            : AppendChecked(checkedBatch, options, times);
    }

    /// <summary>
    /// Ends a producer's transaction with a marker. With the second protocol of transactions the epoch must have risen
    /// since
    /// the transaction's records, so that a marker that comes late ends no later one; the same epoch again is taken
    /// only as
    /// a repetition.
    /// </summary>
    public AppendResult EndTransaction(
        long producerId, short epoch, in EndTransactionMarker marker, bool isTransactionV2)
    {
        lock (_gate)
        {
            ProducerState? producer = _state.Producers.Find(producerId);
            AppendResult? refused = producer is null ? null : CheckMarker(producer, epoch, marker, isTransactionV2);
            if (refused is { } result)
            {
                return result;
            }

            var builder = new RecordBatchBuilder();
            ReadOnlyMemory<byte> bytes = marker.Build(builder, producerId, epoch, _services.NowMs);
            _ = RecordBatch.TryRead(bytes.Span, out RecordBatch batch);
            return AppendChecked(batch, new AppendOptions { Origin = AppendOrigin.Coordinator }, default);
        }
    }

    /// <summary>Whether a producer has a transaction open here.</summary>
    public bool HasOpenTransaction(long producerId, short epoch)
    {
        lock (_gate)
        {
            return _state.Producers.Find(producerId) is { TransactionStart: >= 0 } producer
                && producer.Epoch == epoch;
        }
    }

    /// <summary>Where a producer's open transaction begins here; -1: it has none.</summary>
    internal long TransactionStartOf(long producerId)
    {
        lock (_gate)
        {
            return _state.Producers.Find(producerId)?.TransactionStart ?? -1;
        }
    }

    /// <summary>The producers that are known here, by id.</summary>
    public IReadOnlyList<ProducerView> DescribeProducers()
    {
        lock (_gate)
        {
            return [.. _state.Producers.All.OrderBy(producer => producer.ProducerId).Select(producer =>
                new ProducerView(
                    producer.ProducerId,
                    producer.Epoch,
                    producer.LastSequence,
                    producer.LastTimestampMs,
                    producer.CoordinatorEpoch,
                    producer.TransactionStart))];
        }
    }

    /// <summary>Calls the waiter once when everything below an offset is durable; at once, on this thread, if it is
    /// already; else on the flusher's thread.</summary>
    public void WhenDurable(long offset, IDurableWaiter waiter) => _log.WhenDurable(offset, waiter);

    /// <summary>Whether everything below an offset is on disk, or the partition is gone and nothing is waited for.
    /// </summary>
    internal bool IsDurable(long offset) => _log.DurableOffset >= offset || Stream.IsDeleted;

    /// <summary>Reads batches from the one that holds <paramref name="offset"/> on. Nothing, and no error, at the
    /// end.</summary>
    public StreamError Read(long offset, in ReadOptions options, StreamRead into)
    {
        into.Reset();
        into.HighWatermark = HighWatermark;
        into.LastStableOffset = LastStableOffset;
        into.StartOffset = StartOffset;
        StreamError error = CheckEpoch(options.LeaderEpoch);
        if (error != StreamError.None)
        {
            return error;
        }

        if (options.LastFetchedEpoch >= 0 && Diverges(offset, options.LastFetchedEpoch, into))
        {
            return StreamError.None;
        }

        if (offset < into.StartOffset || offset > EndOffset)
        {
            return StreamError.OffsetOutOfRange;
        }

        bool isCommitted = options.Isolation == Isolation.Committed;
        long limit = isCommitted ? into.LastStableOffset : into.HighWatermark;
        try
        {
            _log.Read(offset, limit, options.BytesMax, options.AtLeastOneBatch, into.Found);
        }
        catch (StorageException failure)
        {
            return StreamErrors.Of(failure);
        }

        Counters.NoteRead(into.Bytes);
        if (isCommitted && into.Bytes > 0)
        {
            AddAborted(offset, into);
        }

        return StreamError.None;
    }

    /// <summary>Where a timestamp is, in milliseconds since the Unix epoch: the first record at least as young. Or one
    /// of
    /// <see cref="OffsetSpecial"/>.</summary>
    public OffsetResult ListOffset(long timestampMs, Isolation isolation, int leaderEpoch = -1)
    {
        StreamError error = CheckEpoch(leaderEpoch);
        if (error != StreamError.None)
        {
            return new OffsetResult(error, -1, -1, -1);
        }

        long limit = isolation == Isolation.Committed ? LastStableOffset : HighWatermark;
        return timestampMs switch
        {
            OffsetSpecial.Latest => new OffsetResult(StreamError.None, limit, -1, LeaderEpoch),
            OffsetSpecial.Earliest or OffsetSpecial.EarliestLocal => FindStart(),
            OffsetSpecial.LatestTiered or OffsetSpecial.EarliestPendingUpload =>
                new OffsetResult(StreamError.None, -1, -1, -1),
            _ => FindTime(timestampMs, limit),
        };
    }

    /// <summary>Where an epoch ended in this partition.</summary>
    public EpochEndResult EndOfEpoch(int epoch, int leaderEpoch = -1)
    {
        StreamError error = CheckEpoch(leaderEpoch);
        if (error != StreamError.None)
        {
            return new EpochEndResult(error, -1, -1);
        }

        lock (_gate)
        {
            (int found, long endOffset) = _state.Epochs.EndOf(epoch, LeaderEpoch, EndOffset);
            return new EpochEndResult(StreamError.None, found, endOffset);
        }
    }

    void IPartitionEvents.OnDurable()
    {
        long durable = _log.DurableOffset;
        Volatile.Write(ref _highWatermark, durable);
        if (_state.Transactions.FirstUndecided >= 0)
        {
            lock (_gate)
            {
                _state.Transactions.NoteDurable(durable);
            }
        }

        long bytes = _log.AppendedBytes;
        _awaiters.Signal(bytes - _signalledBytes);
        _signalledBytes = bytes;
    }

    void IPartitionEvents.OnFailed(StorageFailedException failure) => _awaiters.Signal(long.MaxValue / 2);

    /// <summary>The folder of a stream's partitions.</summary>
    internal static string FolderOf(Guid stream) => stream.ToString("N");

    /// <summary>Opens a partition's log and takes back what it holds. After a crash it has a new leader epoch, so that
    /// a
    /// reader who saw what is lost now can find out.</summary>
    internal static Partition Open(RecordStream stream, int number, StreamServices services)
    {
        PartitionCheckpoint? known = services.Checkpoint?.Find(stream.Id, number);
        var state = new PartitionState();
        if (known is not null && !state.TryRead(known.State.Span))
        {
            state = new PartitionState();
            known = null;
        }

        bool isCompacted = stream.Config.IsCompacted || known?.CleanedTo > 0;
        bool mayBeRewritten = isCompacted && services.Checkpoint is { IsClean: false };
        var place = new PartitionPlace(FolderOf(stream.Id), number, known?.Mark, mayBeRewritten);
        PartitionLog log = services.Store.OpenLog(
            place, stream.Config.Partition, state, out PartitionReport report);
        state.EndRecovery(log.NextOffset, services.NowMs);
        services.Recovery.Add(stream.Name, number, report);
        int epoch = Math.Max(known?.LeaderEpoch ?? 0, state.Epochs.Last);
        bool isCrashed = services.Checkpoint is { IsClean: false } && log.NextOffset > 0;
        var partition = new Partition(stream, log, state, services)
        {
            LeaderEpoch = isCrashed ? epoch + 1 : Math.Max(0, epoch),
            CleanedTo = known?.CleanedTo ?? 0,
            NextHorizonMs = known?.NextHorizonMs ?? long.MaxValue,
        };
        partition.SetStart(known?.StartOffset ?? 0);
        return partition;
    }

    /// <summary>The last checkpoint on disk knows everything below. Upkeep's.</summary>
    internal long CheckpointedTo { get; set; }

    /// <summary>Compaction has come so far. Upkeep's.</summary>
    internal long CleanedTo { get; set; }

    /// <summary>When the first tombstone that compaction has met may go, in milliseconds since the Unix epoch; <see
    /// cref="long.MaxValue"/>: there is none. Upkeep's.</summary>
    internal long NextHorizonMs { get; set; } = long.MaxValue;

    /// <summary>Whether a batch belongs to an aborted transaction.</summary>
    public bool IsAborted(in RecordBatch batch)
    {
        if (!batch.IsTransactional)
        {
            return false;
        }

        lock (_gate)
        {
            return _state.Transactions.IsAborted(batch.ProducerId, batch.BaseOffset);
        }
    }

    /// <summary>Whether nothing of its producer stands behind a batch.</summary>
    internal bool IsLastOfProducer(in RecordBatch batch)
    {
        lock (_gate)
        {
            return batch.ProducerId >= 0 && !batch.IsControl
                && _state.Producers.Find(batch.ProducerId)?.LastOffset == batch.LastOffset;
        }
    }

    internal void ForgetProducersBefore(long nodeMs)
    {
        if (_state.Producers.Count > 0)
        {
            lock (_gate)
            {
                _state.Producers.ForgetBefore(nodeMs);
            }
        }
    }

    /// <summary>Where the partition stands, at one moment.</summary>
    internal PartitionCheckpoint MakeCheckpoint(ArrayBufferWriter<byte> state)
    {
        lock (_gate)
        {
            state.ResetWrittenCount();
            _state.Write(state);
            return new PartitionCheckpoint(
                StartOffset, CleanedTo, NextHorizonMs, LeaderEpoch, _log.Mark(), state.WrittenMemory);
        }
    }

    /// <summary>Nothing can be read any more below an offset.</summary>
    internal void SetStart(long offset)
    {
        lock (_gate)
        {
            if (offset > _startOffset)
            {
                Volatile.Write(ref _startOffset, offset);
                _state.ForgetBelow(offset);
            }
        }
    }

    /// <summary>The stream is gone: its files go, and whoever waits is told.</summary>
    internal void Delete()
    {
        _log.Delete();
        _awaiters.Signal(long.MaxValue / 2);
    }

    private AppendResult AppendRecompressed(
        in RecordBatch batch, RecordCompression compression, int level, in AppendOptions options, BatchTimes times)
    {
        using var rewriter = new BatchRewriter();
        ReadOnlySpan<byte> bytes = rewriter.Recompress(batch, compression, level);
        return RecordBatch.TryRead(bytes, out RecordBatch made) == RecordBatchFault.None
            ? AppendChecked(made, options, times)
            : AppendResult.Refused(StreamError.UnsupportedCompression, $"this node cannot write {compression}");
    }

    private AppendResult AppendChecked(in RecordBatch batch, in AppendOptions options, BatchTimes times)
    {
        try
        {
            lock (_gate)
            {
                StreamError error = CheckEpoch(options.LeaderEpoch);
                if (batch.ProducerId >= OwnProducersFrom && options.Origin == AppendOrigin.Client)
                {
                    error = StreamError.InvalidProducerEpoch;
                }
                else if (error == StreamError.None && batch.ProducerId >= 0 && options.Origin == AppendOrigin.Client)
                {
                    error = _state.Producers.Check(batch, options.IsTransactionV2, out BatchNote? duplicate);
                    if (duplicate is { } note)
                    {
                        return Repeated(note);
                    }
                }
                else if (error == StreamError.None && batch.IsTransactional && !batch.IsControl)
                {
                    // A coordinator has no sequences, but a producer that was fenced opens no transaction here either.
                    bool isFenced = _state.Producers.Find(batch.ProducerId)?.Epoch > batch.ProducerEpoch;
                    error = isFenced ? StreamError.InvalidProducerEpoch : StreamError.None;
                }

                return error == StreamError.None
                    ? AppendLocked(batch, times)
                    : AppendResult.Refused(error, StreamErrors.Describe(error, batch));
            }
        }
        catch (StorageException error)
        {
            return AppendResult.Refused(StreamErrors.Of(error), error.Message);
        }
    }

    /// <summary>A transaction is known before its first record can be read, and forgotten again when the append
    /// fails.</summary>
    private AppendResult AppendLocked(in RecordBatch batch, BatchTimes times)
    {
        long baseOffset = _log.NextOffset;
        ProducerState? beginning = null;
        if (batch.IsTransactional && !batch.IsControl && batch.ProducerId >= 0)
        {
            beginning = _state.Producers.GetOrAdd(batch.ProducerId);
            _state.Transactions.Begin(beginning, baseOffset, _services.NowMs);
        }

        try
        {
            _log.Append(batch.Bytes, LeaderEpoch, times);
        }
        catch (StorageException)
        {
            if (beginning is not null)
            {
                _state.Transactions.Undo(beginning, baseOffset);
            }

            throw;
        }

        NoteAppended(batch, baseOffset);
        return new AppendResult
        {
            BaseOffset = baseOffset,
            LastOffset = baseOffset + batch.LastOffsetDelta,
            AppendTimeMs = times.AppendMs ?? -1,
            StartOffset = StartOffset,
        };
    }

    private void NoteAppended(in RecordBatch batch, long baseOffset)
    {
        _state.Epochs.Note(LeaderEpoch, baseOffset);
        Counters.NoteAppended(batch.Count, batch.SizeBytes);
        if (batch.ProducerId < 0)
        {
            return;
        }

        ProducerState producer = _state.Producers.Note(batch, baseOffset);
        producer.LastSeenMs = _services.NowMs;
        if (batch.IsControl && EndTransactionMarker.TryRead(batch, out EndTransactionMarker marker))
        {
            producer.CoordinatorEpoch = marker.CoordinatorEpoch;
            _state.Transactions.End(producer, marker.IsCommit, baseOffset);
        }
    }

    private static AppendResult? CheckMarker(
        ProducerState producer, short epoch, in EndTransactionMarker marker, bool isTransactionV2)
    {
        if (marker.CoordinatorEpoch < producer.CoordinatorEpoch)
        {
            return AppendResult.Refused(
                StreamError.CoordinatorFenced, $"the coordinator's epoch is {producer.CoordinatorEpoch} by now");
        }

        bool isRepetition = epoch == producer.Epoch && producer.TransactionStart < 0;
        bool isLate = isTransactionV2 ? epoch <= producer.Epoch && !isRepetition : epoch < producer.Epoch;
        return isLate
            ? AppendResult.Refused(
                StreamError.InvalidProducerEpoch, $"the epoch of producer {producer.ProducerId} is {producer.Epoch}")
            : null;
    }

    private AppendResult Repeated(in BatchNote note) => new()
    {
        BaseOffset = note.FirstOffset,
        LastOffset = note.LastOffset,
        StartOffset = StartOffset,
        IsDuplicate = true,
    };

    private StreamError CheckEpoch(int leaderEpoch) =>
        leaderEpoch < 0 || leaderEpoch == LeaderEpoch ? StreamError.None
        : leaderEpoch < LeaderEpoch ? StreamError.FencedLeaderEpoch
        : StreamError.UnknownLeaderEpoch;

    /// <summary>Whether the caller's log has something else before the offset than this one.</summary>
    private bool Diverges(long offset, int lastEpoch, StreamRead into)
    {
        EpochEndResult end = EndOfEpoch(lastEpoch);
        if (end.EndOffset < 0 || (end.LeaderEpoch == lastEpoch && end.EndOffset >= offset))
        {
            return false;
        }

        into.DivergingEpoch = end.LeaderEpoch;
        into.DivergingEndOffset = end.EndOffset;
        return true;
    }

    private void AddAborted(long offset, StreamRead into)
    {
        lock (_gate)
        {
            _state.Transactions.FindAborted(offset, into.Found.EndOffset, into.AbortedList);
        }
    }

    private OffsetResult FindStart()
    {
        lock (_gate)
        {
            return new OffsetResult(StreamError.None, StartOffset, -1, _state.Epochs.EpochAt(StartOffset));
        }
    }

    private OffsetResult FindTime(long timestampMs, long limit)
    {
        try
        {
            return TimeLookup.Find(this, timestampMs, limit);
        }
        catch (StorageException failure)
        {
            return new OffsetResult(StreamErrors.Of(failure), -1, -1, -1);
        }
    }
}
