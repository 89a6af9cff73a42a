using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Writing;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// The records of streams that a prepared branch holds. They are in its own record in the journal, not in the streams:
/// an open transaction there would keep committed readers waiting for as long as the branch is in doubt.
/// <code>
/// varint n, n x (bytes stream, varint partition, bytes batch)      batch: as in a stream, of no producer
/// </code>
/// </summary>
internal static class HeldRecords
{
    private const int IdBytes = 16;

    public static void Write(IBufferWriter<byte> to, IReadOnlyList<StreamBatch> batches)
    {
        FieldWriter.Varint(to, (ulong)batches.Count);
        foreach (StreamBatch batch in batches)
        {
            FieldWriter.Bytes(to, batch.Partition.Stream.Id.ToByteArray());
            FieldWriter.Varint(to, (ulong)batch.Partition.Number);
            FieldWriter.Bytes(to, batch.Bytes.Span);
        }
    }

    public static void Read(ref FieldReader from, List<HeldBatch> into)
    {
        for (ulong left = from.Varint(); left > 0 && !from.Failed; left--)
        {
            ReadOnlySpan<byte> id = from.Bytes();
            int partition = (int)from.Varint();
            byte[] batch = from.Bytes().ToArray();
            if (!from.Failed && id.Length == IdBytes)
            {
                into.Add(new HeldBatch(new Guid(id), partition, batch));
            }
        }
    }

    /// <summary>What a branch is to write now; records of streams that have gone meanwhile go with them.</summary>
    public static StreamPublications Restore(XaBranch branch, BrokerServices services)
    {
        var streams = new StreamPublications(services.Converter, services.StreamCommits.Rent());
        FieldReader from = new(branch.Record);
        PreparedRecord record = XaRecords.ReadPrepared(ref from)!;
        StreamCatalog? catalog = services.Streams.GetValueOrDefault(branch.Owner.Space);
        foreach (HeldBatch held in record.Batches)
        {
            if (catalog?.Find(held.Stream)?.FindPartition(held.Partition) is { } partition
                && RecordBatch.TryRead(held.Batch, out RecordBatch batch) == RecordBatchFault.None)
            {
                streams.Add(partition, batch);
            }
        }

        return streams;
    }
}

/// <summary>Records for one partition that a prepared branch holds.</summary>
internal readonly record struct HeldBatch(Guid Stream, int Partition, byte[] Batch);
