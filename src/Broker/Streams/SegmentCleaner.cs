using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// Goes over the batches of a partition from its start, segment by segment, and writes those that stay:
/// records that no later one of their key replaces; tombstones and markers until their time is over; the last batch of
/// each
/// producer, even without records, so that its sequence is not forgotten; the last batch of a segment, so that segments
/// join without a gap; a marker as long as a record of its
/// transaction
/// is there. Records of aborted transactions go. Offsets stay what they are. One owner.
/// </summary>
internal sealed class SegmentCleaner(Partition partition, KeyMap keys, BatchRewriter rewriter, long nowMs)
    : IBatchVisitor, IRecordFilter
{
    private readonly HashSet<long> _producersWithRecords = [];
    private readonly long _deleteRetentionMs = partition.Stream.Config.DeleteRetentionMs;
    private SegmentRewrite? _target;
    private bool _isAborted;
    private bool _isHorizonOver;
    private bool _dropsSome;
    private bool _hasTombstones;
    private bool _isChanged;

    /// <summary>When the first of the tombstones and markers that stay may go, in milliseconds since the Unix epoch;
    /// <see cref="long.MaxValue"/>: none of them ever by time alone.</summary>
    public long NextHorizonMs { get; private set; } = long.MaxValue;

    /// <summary>Writes a segment anew; the bytes that it lost.</summary>
    public long Clean(SegmentRewrite segment)
    {
        _target = segment;
        _isChanged = false;
        segment.Read(this);
        long lost = segment.SizeBefore - segment.SizeAfter;
        return _isChanged && segment.Commit() ? lost : 0;
    }

    public void Visit(in RecordBatch batch)
    {
        _isAborted = !batch.IsControl && partition.IsAborted(batch);
        _isHorizonOver = batch.HasDeleteHorizon && batch.BaseTimestampMs <= nowMs;
        bool mayDropMarker = batch.IsControl && !_producersWithRecords.Remove(batch.ProducerId);
        if (!rewriter.TryGetRecords(batch, out ReadOnlySpan<byte> records))
        {
            Keep(batch);
            return;
        }

        int kept = batch.IsControl ? (mayDropMarker && _isHorizonOver ? 0 : 1) : Count(batch, records);
        if (kept == 0 && !partition.IsLastOfProducer(batch) && batch.NextOffset != _target!.NextOffset)
        {
            _isChanged = true;
            return;
        }

        bool goesLater = kept > 0 && (batch.IsControl ? mayDropMarker : _hasTombstones);
        bool needsHorizon = goesLater && !batch.HasDeleteHorizon;
        long horizonMs = needsHorizon ? nowMs + Math.Min(_deleteRetentionMs, long.MaxValue - nowMs)
            : batch.HasDeleteHorizon ? batch.BaseTimestampMs
            : -1;
        if (goesLater && !_isHorizonOver)
        {
            NextHorizonMs = Math.Min(NextHorizonMs, horizonMs);
        }

        if ((batch.IsControl || !_dropsSome) && !needsHorizon)
        {
            Keep(batch);
            return;
        }

        ReadOnlySpan<byte> made = rewriter.Filter(batch, records, horizonMs, this);
        if (made.IsEmpty)
        {
            Keep(batch);
            return;
        }

        _isChanged = true;
        NoteRecords(batch);
        _target!.Write(made);
    }

    public bool Keeps(in RecordBatch batch, in StreamRecord record)
    {
        if (batch.IsControl)
        {
            return true;
        }

        return record.HasKey && !_isAborted
            && !keys.IsReplaced(record.Key, batch.BaseOffset + record.OffsetDelta)
            && (record.HasValue || !_isHorizonOver);
    }

    private int Count(in RecordBatch batch, ReadOnlySpan<byte> records)
    {
        int kept = 0;
        _hasTombstones = false;
        var reader = new RecordReader(records, batch.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            if (Keeps(batch, record))
            {
                kept++;
                _hasTombstones |= !record.HasValue;
            }
        }

        _dropsSome = kept < batch.Count;
        return kept;
    }

    private void Keep(in RecordBatch batch)
    {
        NoteRecords(batch);
        _target!.Write(batch.Bytes);
    }

    private void NoteRecords(in RecordBatch batch)
    {
        if (batch.IsTransactional && !batch.IsControl)
        {
            _producersWithRecords.Add(batch.ProducerId);
        }
    }
}
