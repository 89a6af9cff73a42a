using System.Buffers.Binary;
using Pillarbox.Broker.Journal;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>What the records of a catalog say, the later ones over the earlier. One owner.</summary>
internal sealed class CatalogContent : IBatchVisitor
{
    /// <summary>A catalog's folder is called so, with the address space behind.</summary>
    public const string FolderPrefix = "catalog-";

    public const int IdBytes = 16;
    private readonly Dictionary<Guid, StreamDefinition> _found = [];
    private readonly Dictionary<(Guid, int), long> _starts = [];
    private readonly HashSet<Guid> _deleted = [];

    /// <summary>The streams that there are.</summary>
    public IReadOnlyCollection<StreamDefinition> Found => _found.Values;

    /// <summary>The streams that were deleted.</summary>
    public IReadOnlyCollection<Guid> Deleted => _deleted;

    /// <summary>Where the records of a partition begin, as far as somebody deleted some; else 0.</summary>
    public long StartOf(Guid id, int partition) => _starts.GetValueOrDefault((id, partition));

    public void Visit(in RecordBatch batch)
    {
        var records = new RecordReader(batch.Records, batch.Count);
        while (records.TryRead(out StreamRecord record))
        {
            if (record.Key.Length == IdBytes)
            {
                VisitDefinition(record);
            }
            else if (record.Key.Length == IdBytes + sizeof(int))
            {
                int partition = BinaryPrimitives.ReadInt32BigEndian(record.Key[IdBytes..]);
                _starts[(new Guid(record.Key[..IdBytes]), partition)] = new FieldReader(record.Value).Int64();
            }
        }
    }

    private void VisitDefinition(in StreamRecord record)
    {
        var id = new Guid(record.Key);
        _found.Remove(id);
        if (!record.HasValue)
        {
            _deleted.Add(id);
        }

        if (record.HasValue && StreamDefinition.Read(id, record.Value) is { } definition)
        {
            _found[id] = definition;
        }
    }
}
