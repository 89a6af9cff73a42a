using System.Buffers;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Writing;

/// <summary>
/// The messages that a client publishes to streams in one pass: turned into records, put together to batches by
/// partition, appended at the end of the pass. The connection's.
/// </summary>
internal sealed class StreamPublications(PayloadConverter converter, long producerId = RecordBatch.NoProducer)
{
    private const int RecordOverheadMax = 32;

    private readonly ArrayBufferWriter<byte> _record = new();
    private readonly List<StreamBatch> _batches = [];
    private readonly Dictionary<Partition, StreamBatch> _open = [];
    private uint _turn;

    /// <summary>Takes a message in; or says why not. Whose it is is written into it, unless that is 0.</summary>
    public BrokerException? TryAdd(
        RecordStream stream, int? partition, in MessageHead head, ulong publisher, in ReadOnlySequence<byte> payload,
        out StreamBatch? batch)
    {
        batch = null;
        _record.ResetWrittenCount();
        ReadOnlyMemory<byte> bytes = payload.IsSingleSegment ? payload.First : payload.ToArray();
        converter.WriteRecord(head.Header, Encoding.UTF8.GetString(head.Address.Span), bytes, publisher, _record);
        if (!StreamRecord.TryParse(_record.WrittenSpan, out StreamRecord record))
        {
            return new BrokerException(BrokerError.InvalidField, "the message cannot be written as a record");
        }

        StreamConfig config = stream.Config;
        if (config.IsCompacted && !record.HasKey)
        {
            return new BrokerException(
                BrokerError.InvalidField, $"stream '{stream.Name}' is compacted: its messages need a key");
        }

        int bytesMax = _record.WrittenCount + RecordBatch.HeaderBytes + RecordOverheadMax;
        if (bytesMax > config.BatchBytesMax)
        {
            return new BrokerException(
                BrokerError.ResourceLimitExceeded,
                $"the message has {_record.WrittenCount} bytes as a record; stream '{stream.Name}' takes at most "
                + $"{config.BatchBytesMax} (max.message.bytes)");
        }

        if (Choose(stream, partition, record) is not { } chosen)
        {
            return new BrokerException(
                BrokerError.NotFound, $"stream '{stream.Name}' has no partition {partition}");
        }

        batch = OpenBatch(chosen, config.BatchBytesMax);
        batch.Add(_record.WrittenSpan, head.Header.PublishedAtMs);
        Bytes += _record.WrittenCount;
        return null;
    }

    /// <summary>Takes the records of a plain batch in, for one partition; they were checked when they came.</summary>
    public void Add(Partition partition, in RecordBatch records)
    {
        StreamBatch batch = NewBatch(partition);
        var reader = new RecordReader(records.Records, records.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            batch.Add(record, records.BaseTimestampMs + record.TimestampDelta);
        }

        Bytes += records.SizeBytes;
    }

    /// <summary>What was collected, in order.</summary>
    public IReadOnlyList<StreamBatch> Batches => _batches;

    /// <summary>The transactional producer whose records these are; -1: none.</summary>
    public long ProducerId => producerId;

    /// <summary>Bytes that wait for the end of the transaction.</summary>
    public long Bytes { get; private set; }

    /// <summary>What was appended, by partition.</summary>
    public IReadOnlyList<SpannedPart> Parts =>
    [
        .. _batches.Where(batch => batch.Result is { Error: StreamError.None, BaseOffset: >= 0 })
            .GroupBy(batch => batch.Partition).Select(group => new SpannedPart(
                group.Key, group.Min(b => b.Result.BaseOffset), group.Max(b => b.Result.DurableAt))),
    ];

    /// <summary>Why one of the appends failed; null: none did.</summary>
    public BrokerException? Failure =>
        _batches.Select(batch => ErrorOf(batch.Result)).FirstOrDefault(failure => failure is not null);

    /// <summary>Appends what was collected; false when some must wait for the disk.</summary>
    public bool Flush()
    {
        foreach (StreamBatch batch in _batches)
        {
            if (!batch.TryAppend())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Forgets what was collected.</summary>
    public void Clear()
    {
        _batches.Clear();
        _open.Clear();
        Bytes = 0;
        _turn++;
    }

    /// <summary>Why an append failed, for the publisher; null: it did not.</summary>
    public static BrokerException? ErrorOf(in AppendResult result) => result.Error switch
    {
        StreamError.None => null,
        StreamError.BatchTooLarge => new BrokerException(BrokerError.ResourceLimitExceeded, Words(result)),
        StreamError.InvalidRecord or StreamError.InvalidTimestamp =>
            new BrokerException(BrokerError.InvalidField, Words(result)),
        StreamError.UnknownStream or StreamError.UnknownPartition =>
            new BrokerException(BrokerError.NotFound, Words(result)),
        _ => new BrokerException(BrokerError.Unavailable, Words(result)),
    };

    private static string Words(in AppendResult result) => result.Message ?? $"the stream refuses: {result.Error}";

    // Without a key all of a pass go to one partition, of the next pass to the next one: larger batches.
    private Partition? Choose(RecordStream stream, int? partition, in StreamRecord record)
    {
        if (partition is { } number)
        {
            return stream.FindPartition(number);
        }

        int count = stream.Partitions.Count;
        return stream.Partitions[
            record.HasKey ? KeyPartitioner.PartitionOf(record.Key, count) : (int)(_turn % (uint)count)];
    }

    private StreamBatch OpenBatch(Partition partition, int bytesMax)
    {
        if (_open.TryGetValue(partition, out StreamBatch? open) && !open.IsEnded
            && open.SizeBytes + _record.WrittenCount + RecordOverheadMax <= bytesMax)
        {
            return open;
        }

        return _open[partition] = NewBatch(partition);
    }

    private StreamBatch NewBatch(Partition partition)
    {
        RecordBatchOptions options = producerId == RecordBatch.NoProducer ? new() : new()
        {
            ProducerId = producerId,
            ProducerEpoch = StreamCommits.Epoch,
            IsTransactional = true,
        };
        StreamBatch batch = new(partition, options);
        _batches.Add(batch);
        return batch;
    }
}
