using System.Buffers;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Reading;

/// <summary>A record within a stretch.</summary>
internal readonly record struct RecordPlace(long Offset, long TimestampMs, int At, int Bytes);

/// <summary>
/// Some batches of a partition, one behind the other, uncompressed and with an index, as readers of single records
/// need them: only records that are decided and not aborted. Shared and counted: whoever has it holds it, the last one
/// gives the memory back. Immutable once it is made.
/// </summary>
internal sealed class RecordStretch : IDisposable
{
    /// <summary>Bytes at which no further batch is taken in.</summary>
    private const int BytesEnough = 256 << 10;

    private readonly PooledBuffer _bytes = new(BatchRules.PlainBytesMax);
    private RecordPlace[] _places = [];
    private int _holds = 1;

    public RecordStretch(Partition partition, long from)
    {
        Partition = partition;
        From = from;
        To = from;
    }

    public Partition Partition { get; }

    /// <summary>The first offset that it covers.</summary>
    public long From { get; }

    /// <summary>Behind the last one that it covers: what is not in it up to here does not exist for readers.</summary>
    public long To { get; private set; }

    public int Count { get; private set; }

    /// <summary>Bytes of memory that it takes.</summary>
    public long MemoryBytes => _bytes.Length + ((long)_places.Length * 32);

    public bool IsFull => _bytes.Length >= BytesEnough;

    public ReadOnlySpan<RecordPlace> Places => _places.AsSpan(0, Count);

    public bool Covers(Partition partition, long offset) =>
        ReferenceEquals(partition, Partition) && offset >= From && offset < To;

    /// <summary>Takes the next batch in; false when its records cannot be read, and nothing has changed.</summary>
    public bool TryAdd(in RecordBatch batch)
    {
        int begin = _bytes.Length;
        int count = Count;
        bool isGood = batch.IsControl || Partition.IsAborted(batch) || TryAddRecords(batch);
        if (!isGood)
        {
            _bytes.Cut(begin);
            Count = count;
            return false;
        }

        SkipTo(batch.NextOffset);
        return true;
    }

    /// <summary>There are no further records up to an offset.</summary>
    public void SkipTo(long offset) => To = Math.Max(To, offset);

    /// <summary>The place of the first record at or behind an offset; <see cref="Count"/> when there is none.</summary>
    public int Find(long offset)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_places[middle].Offset < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>The record at exactly this offset.</summary>
    public bool TryGet(long offset, out RecordPlace place)
    {
        int index = Find(offset);
        place = index < Count ? _places[index] : default;
        return index < Count && place.Offset == offset;
    }

    /// <summary>The record as it is encoded, without its length.</summary>
    public ReadOnlyMemory<byte> Record(in RecordPlace place) => _bytes.WrittenMemory.Slice(place.At, place.Bytes);

    /// <summary>Takes a hold; false when the memory has been given back already.</summary>
    public bool TryHold()
    {
        int holds = Volatile.Read(ref _holds);
        while (holds > 0)
        {
            int seen = Interlocked.CompareExchange(ref _holds, holds + 1, holds);
            if (seen == holds)
            {
                return true;
            }

            holds = seen;
        }

        return false;
    }

    /// <inheritdoc/>
    void IDisposable.Dispose() => Release();

    /// <summary>Lets go of one hold.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            _bytes.Dispose();
            if (_places.Length > 0)
            {
                ArrayPool<RecordPlace>.Shared.Return(_places);
                _places = [];
            }
        }
    }

    private bool TryAddRecords(in RecordBatch batch)
    {
        int begin = _bytes.Length;
        if (RecordCodec.TryDecompress(batch.Compression, batch.Records, _bytes) != CodecFault.None)
        {
            return false;
        }

        RecordReader records = new(_bytes.WrittenSpan[begin..], batch.Count);
        while (records.TryRead(out StreamRecord record))
        {
            long offset = batch.BaseOffset + record.OffsetDelta;
            if (offset >= From && offset <= batch.LastOffset)
            {
                Add(new RecordPlace(
                    offset,
                    batch.IsAppendTime ? batch.MaxTimestampMs : batch.BaseTimestampMs + record.TimestampDelta,
                    begin + records.Position - record.Bytes.Length,
                    record.Bytes.Length));
            }
        }

        return !records.IsBroken;
    }

    private void Add(in RecordPlace place)
    {
        if (Count == _places.Length)
        {
            RecordPlace[] larger = ArrayPool<RecordPlace>.Shared.Rent(Math.Max(16, Count * 2));
            _places.AsSpan(0, Count).CopyTo(larger);
            if (_places.Length > 0)
            {
                ArrayPool<RecordPlace>.Shared.Return(_places);
            }

            _places = larger;
        }

        _places[Count++] = place;
    }
}
