using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Broker.Journal;
using Pillarbox.Model.Records;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// The catalog on disk: a partition of its own, in the same format as all. Each change is a record whose key is the
/// stream's
/// id and whose value is its whole definition, or none when it is deleted; or the id and a partition's number, and the
/// offset that its records were deleted up to. Under the catalog's lock.
/// </summary>
internal sealed class CatalogLog : IBatchVisitor
{
    /// <summary>The catalog may grow to so many bytes before it is written anew.</summary>
    private const long BytesMax = 1 << 20;

    private const int IdBytes = CatalogContent.IdBytes;
    private readonly PartitionLog _log;
    private readonly StreamServices _services;
    private readonly RecordBatchBuilder _builder = new();
    private readonly ArrayBufferWriter<byte> _value = new();
    private readonly CatalogContent _content = new();
    private long _nextBytes = BytesMax;
    private long _keepFrom = -1;
    private long _keepDurableAt;

    public CatalogLog(StreamServices services, string addressSpace)
    {
        _services = services;
        var place = new PartitionPlace(FolderOf(addressSpace), 0);
        _log = services.Store.OpenLog(place, new PartitionOptions(), this, out PartitionReport report);
        services.Recovery.Add(place.Folder, place.Number, report);
    }

    /// <summary>The streams that were deleted; their files may still be there.</summary>
    public IReadOnlyCollection<Guid> Deleted => _content.Deleted;

    /// <summary>The streams that recovery found.</summary>
    public IReadOnlyCollection<StreamDefinition> Read() => _content.Found;

    /// <summary>Where the records of a partition begin, as far as somebody deleted some; else 0.</summary>
    public long StartOf(Guid id, int partition) => _content.StartOf(id, partition);

    /// <summary>Writes a definition, or its deletion; returns where it is durable.</summary>
    public long Append(Guid id, StreamDefinition? definition)
    {
        _value.ResetWrittenCount();
        definition?.Write(_value);
        return Append(id.ToByteArray(), definition is not null);
    }

    /// <summary>Writes that the records of a partition begin at an offset; returns where it is durable.</summary>
    public long AppendStart(Guid id, int partition, long offset)
    {
        Span<byte> key = stackalloc byte[IdBytes + sizeof(int)];
        id.TryWriteBytes(key);
        BinaryPrimitives.WriteInt32BigEndian(key[IdBytes..], partition);
        _value.ResetWrittenCount();
        FieldWriter.Int64(_value, offset);
        return Append(key, hasValue: true);
    }

    /// <summary>Keeps the catalog short: when it has grown too much, everything that holds is written once more, and,
    /// as
    /// soon as that is durable, what was before it is deleted.</summary>
    public void Shorten(ICollection<RecordStream> streams)
    {
        if (_keepFrom >= 0 && _log.DurableOffset >= _keepDurableAt)
        {
            _log.DeleteBelow(_keepFrom);
            _keepFrom = -1;
            _nextBytes = Math.Max(BytesMax, _log.SizeBytes * 2);
        }

        if (_keepFrom >= 0 || _log.SizeBytes < _nextBytes)
        {
            return;
        }

        _log.Roll();
        long from = _log.NextOffset;
        foreach (RecordStream stream in streams)
        {
            Append(stream.Id, StreamDefinition.Of(stream, stream.Partitions.Count, stream.Config));
            foreach (Partition partition in stream.Partitions.Where(partition => partition.StartOffset > 0))
            {
                AppendStart(stream.Id, partition.Number, partition.StartOffset);
            }
        }

        _keepDurableAt = _log.NextOffset;
        _keepFrom = from;
    }

    public void WhenDurable(long durableAt, IDurableWaiter waiter) => _log.WhenDurable(durableAt, waiter);

    public void Visit(in RecordBatch batch) => _content.Visit(batch);

    private long Append(ReadOnlySpan<byte> key, bool hasValue)
    {
        _builder.Begin(new RecordBatchOptions());
        _builder.Add(new RecordContent
        {
            TimestampMs = _services.NowMs,
            HasKey = true,
            Key = key,
            HasValue = hasValue,
            Value = hasValue ? _value.WrittenSpan : default,
        });
        return _log.Append(_builder.Finish().Span, leaderEpoch: 0) + 1;
    }

    private static string FolderOf(string addressSpace) => CatalogContent.FolderPrefix + addressSpace;
}
