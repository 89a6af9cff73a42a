using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Writing;

/// <summary>What one client publishes to one partition in one pass: a batch that is appended at its end, once: what is
/// published later has a batch, and an outcome, of its own. The connection's.</summary>
internal sealed class StreamBatch
{
    private readonly RecordBatchBuilder _builder = new();
    private readonly AppendOrigin _origin;

    public StreamBatch(Partition partition, in RecordBatchOptions options)
    {
        Partition = partition;
        _origin = options.IsTransactional ? AppendOrigin.Coordinator : AppendOrigin.Client;
        _builder.Begin(options);
    }

    public Partition Partition { get; }

    /// <summary>Records in it.</summary>
    public int Count => _builder.Count;

    /// <summary>Bytes of those.</summary>
    public int SizeBytes => _builder.SizeBytes;

    /// <summary>Those as a batch; valid until the next one is added.</summary>
    public ReadOnlyMemory<byte> Bytes => _builder.Finish();

    /// <summary>It was appended, or refused for good: it takes nothing more in.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>What became of it, when it has ended.</summary>
    public AppendResult Result { get; private set; }

    /// <summary>Takes a record in, as <see cref="RecordEncoder"/> writes them.</summary>
    public void Add(ReadOnlySpan<byte> record, long timestampMs)
    {
        Model.Invariant.That(StreamRecord.TryParse(record, out StreamRecord read));
        Add(read, timestampMs);
    }

    /// <summary>Takes a record in that was read from a batch.</summary>
    public void Add(in StreamRecord read, long timestampMs) =>
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

    /// <summary>Appends what is there, unless that was done before; false when the disk takes nothing now: it
    /// stays.</summary>
    public bool TryAppend()
    {
        if (IsEnded || _builder.Count == 0)
        {
            return true;
        }

        Result = Partition.Append(_builder.Finish().Span, new AppendOptions { Origin = _origin });
        IsEnded = Result.Error is not (StreamError.Busy or StreamError.DiskFull);
        return IsEnded;
    }
}
