using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage.Tests.Partitions;

/// <summary>A store without a thread, and batches that say what they are.</summary>
internal static class PartitionTesting
{
    public static readonly PartitionOptions Small = new() { SegmentBytes = 2000, IndexIntervalBytes = 200 };

    public static PartitionStore OpenStore(this IFileSystem files, long cacheBytes = 16 << 10, int openFilesMax = 2) =>
        PartitionStore.Open(files, "streams", new PartitionStoreOptions
        {
            CacheBytes = cacheBytes,
            OpenFilesMax = openFilesMax,
            OwnThread = false,
        });

    public static PartitionLog OpenLog(
        this PartitionStore store,
        int number,
        out BatchList found,
        out PartitionReport report,
        PartitionMark? mark = null)
    {
        found = new BatchList();
        return store.OpenLog(new PartitionPlace("s", number, mark), Small, found, out report);
    }

    /// <summary>A batch of so many records, whose values begin with a number.</summary>
    public static byte[] Batch(int number, int count = 1, int valueBytes = 40, long timestampMs = 1000)
    {
        var builder = new RecordBatchBuilder();
        byte[] value = new byte[Math.Max(sizeof(int), valueBytes)];
        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        for (int i = 0; i < count; i++)
        {
            builder.Add(timestampMs, default, value);
        }

        return builder.Finish().ToArray();
    }

    /// <summary>The numbers of the batches from an offset on, read in pieces of so many bytes.</summary>
    public static List<int> ReadNumbers(this PartitionLog log, long offset, int bytesMax = 700)
    {
        var numbers = new List<int>();
        using var read = new PartitionRead();
        while (true)
        {
            log.Read(offset, log.DurableOffset, bytesMax, atLeastOne: true, read);
            if (read.Bytes == 0)
            {
                return numbers;
            }

            var bytes = new ArrayBufferWriter<byte>();
            read.CopyTo(bytes);
            long next = offset;
            for (ReadOnlySpan<byte> rest = bytes.WrittenSpan; !rest.IsEmpty;)
            {
                Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(rest, out RecordBatch batch));
                Assert.True(batch.IsCrcValid && batch.NextOffset > next);
                numbers.Add(NumberOf(batch));
                next = batch.NextOffset;
                rest = rest[batch.SizeBytes..];
            }

            Assert.True(read.EndOffset >= next);
            offset = next;
        }
    }

    public static int NumberOf(in RecordBatch batch)
    {
        var reader = new RecordReader(batch.Records, batch.Count);
        Assert.True(reader.TryRead(out StreamRecord record));
        return BinaryPrimitives.ReadInt32LittleEndian(record.Value);
    }
}

internal sealed class BatchList : IBatchVisitor
{
    public List<int> Numbers { get; } = [];

    public void Visit(in RecordBatch batch) => Numbers.Add(PartitionTesting.NumberOf(batch));
}
