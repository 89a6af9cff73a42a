using System.Buffers;
using Pillarbox.Broker.Journal;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// What a partition knows of its records besides the records: producers, transactions, epochs. All of it follows from
/// the
/// batches: recovery reads the last checkpoint and then the batches behind it. Under the partition's lock.
/// </summary>
internal sealed class PartitionState : IBatchVisitor
{
    private const byte Version = 1;

    public ProducerTable Producers { get; } = new();

    public TransactionIndex Transactions { get; } = new();

    public EpochList Epochs { get; } = new();

    /// <summary>A batch was appended, or is found at recovery.</summary>
    public void Visit(in RecordBatch batch)
    {
        Epochs.Note(batch.LeaderEpoch, batch.BaseOffset);
        if (batch.ProducerId < 0)
        {
            return;
        }

        if (batch.IsControl)
        {
            NoteMarker(batch);
            return;
        }

        ProducerState producer = Producers.Note(batch, batch.BaseOffset);
        if (batch.IsTransactional)
        {
            Transactions.Begin(producer, batch.BaseOffset, batch.MaxTimestampMs);
        }
    }

    /// <summary>Everything that was found at recovery is durable; its producers may come back.</summary>
    public void EndRecovery(long nextOffset, long nowMs)
    {
        Transactions.NoteDurable(nextOffset);
        Producers.SeenAll(nowMs);
    }

    /// <summary>Nothing is left below an offset.</summary>
    public void ForgetBelow(long offset)
    {
        Transactions.ForgetBelow(offset);
        Epochs.ForgetBelow(offset);
    }

    public void Write(IBufferWriter<byte> to)
    {
        FieldWriter.Byte(to, Version);
        FieldWriter.Varint(to, (ulong)Epochs.Starts.Count);
        foreach (EpochStart start in Epochs.Starts)
        {
            FieldWriter.Varint(to, (ulong)start.Epoch);
            FieldWriter.Varint(to, (ulong)start.Offset);
        }

        FieldWriter.Varint(to, (ulong)Producers.Count);
        foreach (ProducerState producer in Producers.All)
        {
            WriteProducer(to, producer);
        }

        FieldWriter.Varint(to, (ulong)Transactions.Aborted.Count);
        foreach (AbortedNote note in Transactions.Aborted)
        {
            FieldWriter.Varint(to, (ulong)note.ProducerId);
            FieldWriter.Varint(to, (ulong)note.FirstOffset);
            FieldWriter.Varint(to, (ulong)note.MarkerOffset);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote into an empty state; false when it is something else.</summary>
    public bool TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes);
        if (reader.Byte() != Version)
        {
            return false;
        }

        for (ulong left = reader.Varint(); left > 0 && !reader.Failed; left--)
        {
            int epoch = (int)reader.Varint();
            Epochs.Note(epoch, (long)reader.Varint());
        }

        for (ulong left = reader.Varint(); left > 0 && !reader.Failed; left--)
        {
            ReadProducer(ref reader);
        }

        for (ulong left = reader.Varint(); left > 0 && !reader.Failed; left--)
        {
            long producerId = (long)reader.Varint();
            long first = (long)reader.Varint();
            Transactions.AddAborted(new AbortedNote(producerId, first, (long)reader.Varint()));
        }

        return !reader.Failed;
    }

    private static void WriteProducer(IBufferWriter<byte> to, ProducerState producer)
    {
        FieldWriter.SignedVarint(to, producer.ProducerId);
        FieldWriter.SignedVarint(to, producer.Epoch);
        FieldWriter.SignedVarint(to, producer.CoordinatorEpoch);
        FieldWriter.SignedVarint(to, producer.LastTimestampMs);
        FieldWriter.SignedVarint(to, producer.TransactionStart);
        FieldWriter.SignedVarint(to, producer.TransactionStartMs);
        FieldWriter.Varint(to, (ulong)producer.BatchCount);
        for (int i = 0; i < producer.BatchCount; i++)
        {
            BatchNote note = producer.BatchAt(i);
            FieldWriter.Varint(to, (ulong)note.FirstSequence);
            FieldWriter.Varint(to, (ulong)note.LastSequence);
            FieldWriter.Varint(to, (ulong)note.FirstOffset);
            FieldWriter.Varint(to, (ulong)note.LastOffset);
        }
    }

    private void ReadProducer(ref FieldReader reader)
    {
        var producer = new ProducerState(reader.SignedVarint());
        producer.SetEpoch((short)reader.SignedVarint());
        producer.CoordinatorEpoch = (int)reader.SignedVarint();
        producer.LastTimestampMs = reader.SignedVarint();
        long start = reader.SignedVarint();
        long startMs = reader.SignedVarint();
        for (ulong left = reader.Varint(); left > 0 && !reader.Failed; left--)
        {
            int firstSequence = (int)reader.Varint();
            int lastSequence = (int)reader.Varint();
            long firstOffset = (long)reader.Varint();
            producer.Note(new BatchNote(firstSequence, lastSequence, firstOffset, (long)reader.Varint()));
        }

        Producers.Add(producer);
        if (start >= 0)
        {
            Transactions.Begin(producer, start, startMs);
        }
    }

    private void NoteMarker(in RecordBatch batch)
    {
        if (!EndTransactionMarker.TryRead(batch, out EndTransactionMarker marker))
        {
            return;
        }

        ProducerState producer = Producers.Note(batch, batch.BaseOffset);
        producer.CoordinatorEpoch = Math.Max(producer.CoordinatorEpoch, marker.CoordinatorEpoch);
        Transactions.End(producer, marker.IsCommit, batch.BaseOffset);
    }
}
