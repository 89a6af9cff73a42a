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
    private readonly Lock _gate = new();
    private readonly StreamServices _services;
    private readonly PartitionLog _log;
    private readonly ReadAwaiterList _awaiters = new();
    private readonly long _startOffset;
    private long _highWatermark;
    private long _signalledBytes;

    internal Partition(RecordStream stream, PartitionLog log, StreamServices services)
    {
        Stream = stream;
        _log = log;
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
    public long StartOffset => _startOffset;

    /// <summary>Everything below is durable and can be read.</summary>
    public long HighWatermark => Volatile.Read(ref _highWatermark);

    /// <summary>Everything below is decided: no transaction is open there.</summary>
    public long LastStableOffset => HighWatermark;

    /// <summary>The offset that the next record gets.</summary>
    public long EndOffset => _log.NextOffset;

    /// <summary>How often the partition has changed its leader, or come up after a crash.</summary>
    public int LeaderEpoch { get; private set; }

    /// <summary>Bytes on disk.</summary>
    public long SizeBytes => _log.SizeBytes;

    internal ReadAwaiterList Awaiters => _awaiters;

    internal PartitionLog Log => _log;

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
        StreamConfig config = Stream.Config;
        long nowMs = _services.NowMs;
        AppendResult? refused = BatchRules.Check(batch, config, options.Origin, nowMs, out RecordBatch checkedBatch);
        if (refused is null && checkedBatch.SizeBytes != batch.Length)
        {
            refused = AppendResult.Refused(StreamError.InvalidRecord, "one batch is taken at a time");
        }

        if (refused is { } result)
        {
            return result;
        }

        try
        {
            lock (_gate)
            {
                return AppendLocked(checkedBatch, config, options, nowMs);
            }
        }
        catch (StorageException error)
        {
            return AppendResult.Refused(StreamErrors.Of(error), error.Message);
        }
    }

    /// <summary>Calls the waiter once when everything below an offset is durable; at once, on this thread, if it is
    /// already; else on the flusher's thread.</summary>
    public void WhenDurable(long offset, IDurableWaiter waiter) => _log.WhenDurable(offset, waiter);

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

        if (offset < into.StartOffset || offset > EndOffset)
        {
            return StreamError.OffsetOutOfRange;
        }

        long limit = options.Isolation == Isolation.Committed ? into.LastStableOffset : into.HighWatermark;
        try
        {
            _log.Read(offset, limit, options.BytesMax, options.AtLeastOneBatch, into.Found);
            return StreamError.None;
        }
        catch (StorageException failure)
        {
            return StreamErrors.Of(failure);
        }
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
            OffsetSpecial.Earliest or OffsetSpecial.EarliestLocal =>
                new OffsetResult(StreamError.None, StartOffset, -1, LeaderEpoch),
            OffsetSpecial.LatestTiered or OffsetSpecial.EarliestPendingUpload =>
                new OffsetResult(StreamError.None, -1, -1, -1),
            _ => FindTime(timestampMs, limit),
        };
    }

    /// <summary>Where an epoch ended in this partition.</summary>
    public EpochEndResult EndOfEpoch(int epoch, int leaderEpoch = -1)
    {
        StreamError error = CheckEpoch(leaderEpoch);
        return error != StreamError.None
            ? new EpochEndResult(error, -1, -1)
            : new EpochEndResult(StreamError.None, LeaderEpoch, EndOffset);
    }

    void IPartitionEvents.OnDurable()
    {
        Volatile.Write(ref _highWatermark, _log.DurableOffset);
        long bytes = _log.AppendedBytes;
        _awaiters.Signal(bytes - _signalledBytes);
        _signalledBytes = bytes;
    }

    void IPartitionEvents.OnFailed(StorageFailedException failure) => _awaiters.Signal(long.MaxValue / 2);

    /// <summary>Opens a partition's log and takes back what it holds.</summary>
    internal static Partition Open(RecordStream stream, int number, StreamServices services)
    {
        PartitionLog log = services.Store.OpenLog(
            stream.Id.ToString("N"), number, stream.Config.Partition, NoVisitor.Instance, out _);
        return new Partition(stream, log, services);
    }

    /// <summary>The stream is gone: its files go, and whoever waits is told.</summary>
    internal void Delete()
    {
        _log.Delete();
        _awaiters.Signal(long.MaxValue / 2);
    }

    private AppendResult AppendLocked(
        in RecordBatch batch, StreamConfig config, in AppendOptions options, long nowMs)
    {
        StreamError error = CheckEpoch(options.LeaderEpoch);
        if (error != StreamError.None)
        {
            return AppendResult.Refused(error, "the leader epoch is another one");
        }

        long appendTimeMs = config.IsAppendTime ? nowMs : -1;
        long baseOffset = _log.Append(batch.Bytes, LeaderEpoch, appendTimeMs);
        return new AppendResult
        {
            BaseOffset = baseOffset,
            LastOffset = baseOffset + batch.LastOffsetDelta,
            AppendTimeMs = appendTimeMs,
            StartOffset = StartOffset,
        };
    }

    private StreamError CheckEpoch(int leaderEpoch) =>
        leaderEpoch < 0 || leaderEpoch == LeaderEpoch ? StreamError.None
        : leaderEpoch < LeaderEpoch ? StreamError.FencedLeaderEpoch
        : StreamError.UnknownLeaderEpoch;

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

/// <summary>Looks at nothing.</summary>
internal sealed class NoVisitor : IBatchVisitor
{
    public static readonly NoVisitor Instance = new();

    public void Visit(in RecordBatch batch)
    {
    }
}
