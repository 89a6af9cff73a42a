using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Writing;

/// <summary>What one client publishes to one partition in one pass: a batch that is appended at its end. The
/// connection's.</summary>
internal sealed class StreamBatch(Partition partition)
{
    private readonly RecordBatchBuilder _builder = new();

    public Partition Partition { get; } = partition;

    /// <summary>Records that are not appended yet.</summary>
    public int Count => _builder.Count;

    /// <summary>Bytes of those.</summary>
    public int Bytes => _builder.SizeBytes;

    /// <summary>The last append.</summary>
    public AppendResult Result { get; private set; }

    /// <summary>Takes a record in, as <see cref="RecordEncoder"/> writes them.</summary>
    public void Add(ReadOnlySpan<byte> record, long timestampMs)
    {
        Model.Invariant.That(StreamRecord.TryParse(record, out StreamRecord read));
        _builder.Add(new RecordContent
        {
            TimestampMs = timestampMs,
            HasKey = read.HasKey,
            Key = read.Key,
            HasValue = read.HasValue,
            Value = read.Value,
            HeaderCount = read.HeaderCount,
            Headers = read.Headers,
        });
    }

    /// <summary>Appends what is there; false when the disk takes nothing now: it stays.</summary>
    public bool TryAppend()
    {
        if (_builder.Count == 0)
        {
            return true;
        }

        Result = Partition.Append(_builder.Finish().Span, new AppendOptions());
        if (Result.Error is StreamError.Busy or StreamError.DiskFull)
        {
            return false;
        }

        Clear();
        return true;
    }

    public void Clear() => _builder.Begin(new RecordBatchOptions());
}
