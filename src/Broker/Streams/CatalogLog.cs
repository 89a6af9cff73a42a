using System.Buffers;
using Pillarbox.Model.Records;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// The catalog on disk: a partition of its own, in the same format as all. Each change is a record whose key is the
/// stream's
/// id and whose value is its whole definition, or none when it is deleted. Under the catalog's lock.
/// </summary>
internal sealed class CatalogLog : IBatchVisitor
{
    private readonly PartitionLog _log;
    private readonly StreamServices _services;
    private readonly RecordBatchBuilder _builder = new();
    private readonly ArrayBufferWriter<byte> _value = new();
    private readonly Dictionary<Guid, StreamDefinition> _found = [];

    public CatalogLog(StreamServices services, string addressSpace)
    {
        _services = services;
        _log = services.Store.OpenLog(FolderOf(addressSpace), 0, new PartitionOptions(), this, out _);
    }

    /// <summary>The streams that recovery found.</summary>
    public IReadOnlyCollection<StreamDefinition> Read() => _found.Values;

    /// <summary>Writes a definition, or its deletion; returns where it is durable.</summary>
    public long Append(Guid id, StreamDefinition? definition)
    {
        _value.ResetWrittenCount();
        definition?.Write(_value);
        _builder.Begin(new RecordBatchOptions());
        _builder.Add(new RecordContent
        {
            TimestampMs = _services.NowMs,
            HasKey = true,
            Key = id.ToByteArray(),
            HasValue = definition is not null,
            Value = _value.WrittenSpan,
        });
        return _log.Append(_builder.Finish().Span, leaderEpoch: 0) + 1;
    }

    public void WhenDurable(long durableAt, IDurableWaiter waiter) => _log.WhenDurable(durableAt, waiter);

    public void Visit(in RecordBatch batch)
    {
        var records = new RecordReader(batch.Records, batch.Count);
        while (records.TryRead(out StreamRecord record))
        {
            if (record.Key.Length != 16)
            {
                continue;
            }

            var id = new Guid(record.Key);
            _found.Remove(id);
            if (record.HasValue && StreamDefinition.Read(id, record.Value) is { } definition)
            {
                _found[id] = definition;
            }
        }
    }

    private static string FolderOf(string addressSpace) => "catalog-" + addressSpace;
}
