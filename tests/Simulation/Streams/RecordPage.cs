using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Model.Records;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>What a client finds in one fetch: it leaves out aborted transactions by the list that came with it, as
/// clients do.</summary>
internal sealed class RecordPage
{
    private readonly List<Polled> _records = [];
    private readonly HashSet<long> _aborting = [];

    private RecordPage(long offset) => NextOffset = offset;

    public StreamError Error { get; private init; }

    public IReadOnlyList<Polled> Records => _records;

    public long NextOffset { get; private set; }

    public static RecordPage Read(
        StreamWorld world, string stream, int number, long offset, bool isCommitted, int bytesMax)
    {
        using var read = new StreamRead();
        var options = new ReadOptions
        {
            BytesMax = bytesMax,
            AtLeastOneBatch = true,
            Isolation = isCommitted && world.Broken != BrokenPromise.Isolation
                ? Isolation.Committed
                : Isolation.Uncommitted,
        };
        StreamError error = world.Find(stream, number).Read(offset, options, read);
        var page = new RecordPage(offset) { Error = error };
        if (error == StreamError.None && read.Bytes > 0)
        {
            var bytes = new ArrayBufferWriter<byte>(read.Bytes);
            read.CopyTo(bytes);
            bool isTold = isCommitted && world.Broken != BrokenPromise.Abortion;
            Queue<AbortedTransaction> aborted = new(isTold ? read.Aborted : []);
            page.Add(world, StreamWorld.NameOf(stream, number), bytes.WrittenSpan, aborted);
        }

        return page;
    }

    private void Add(
        StreamWorld world, string partition, ReadOnlySpan<byte> bytes, Queue<AbortedTransaction> aborted)
    {
        while (RecordBatch.TryRead(bytes, out RecordBatch batch) is var fault && fault == RecordBatchFault.None)
        {
            Violation.Unless(batch.IsCrcValid, $"{partition} {batch.BaseOffset}: a checksum is wrong");
            while (aborted.Count > 0 && aborted.Peek().FirstOffset <= batch.LastOffset)
            {
                _aborting.Add(aborted.Dequeue().ProducerId);
            }

            if (EndTransactionMarker.TryRead(batch, out EndTransactionMarker marker) && !marker.IsCommit)
            {
                _aborting.Remove(batch.ProducerId);
            }
            else if (!batch.IsControl && !(batch.IsTransactional && _aborting.Contains(batch.ProducerId)))
            {
                AddRecords(world, partition, batch);
            }

            NextOffset = batch.NextOffset;
            bytes = bytes[batch.SizeBytes..];
        }

        Violation.Unless(bytes.IsEmpty, $"{partition}: {bytes.Length} bytes behind {NextOffset} are no batch");
    }

    private void AddRecords(StreamWorld world, string partition, in RecordBatch batch)
    {
        long from = NextOffset;
        var records = new RecordReader(batch.Records, batch.Count);
        while (records.TryRead(out StreamRecord record))
        {
            long offset = batch.BaseOffset + record.OffsetDelta;
            if (offset >= from)
            {
                _records.Add(new Polled(partition, offset, Encoding.UTF8.GetString(record.Value), world.Tick()));
            }
        }
    }
}
