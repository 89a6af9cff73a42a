using System.Buffers;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage.Tests.Partitions;

/// <summary>Readers that keep what they have read, while the log goes on.</summary>
public sealed class SlowReaderTests
{
    private const int CacheBytes = 64 << 10;
    private const int ValueBytes = 900;

    /// <summary>Each of many readers takes one small batch out of a chunk and never comes back for more: without a
    /// bound each would keep a chunk alive.</summary>
    [Fact]
    public void What_readers_hold_is_bounded_and_stays_as_it_was_read()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore(CacheBytes);
        PartitionLog log = store.OpenLog(0, out _, out _);
        var readers = new List<PartitionRead>();
        for (int i = 0; i < 2000; i++)
        {
            log.Append(PartitionTesting.Batch(i, valueBytes: ValueBytes), 0);
            store.Flush();
            var read = new PartitionRead();
            log.Read(i, log.DurableOffset, 1, atLeastOne: true, read);
            Assert.True(read.Bytes > 0);
            readers.Add(read);
            Assert.InRange(store.Memory.HeldBytes, 0, CacheBytes + store.PendingBytes);
        }

        // All of the cache is theirs by now, and whoever reads on reads from files.
        Assert.InRange(store.Memory.UsedBytes, CacheBytes / 2, CacheBytes);
        Assert.True(readers[^1].IsInFile);
        for (int i = 0; i < readers.Count; i++)
        {
            var bytes = new ArrayBufferWriter<byte>();
            readers[i].CopyTo(bytes);
            Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(bytes.WrittenSpan, out RecordBatch batch));
            Assert.True(batch.IsCrcValid);
            Assert.Equal(i, PartitionTesting.NumberOf(batch));
        }

        readers.ForEach(read => read.Dispose());
        Assert.Equal(0, store.Memory.HeldBytes);
        Assert.Equal(Enumerable.Range(0, 2000), log.ReadNumbers(0));
    }

    /// <summary>A reader that comes back in time holds next to nothing.</summary>
    [Fact]
    public void Quick_readers_borrow_from_the_cache()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore(CacheBytes);
        PartitionLog log = store.OpenLog(0, out _, out _);
        using var read = new PartitionRead();
        for (int i = 0; i < 500; i++)
        {
            log.Append(PartitionTesting.Batch(i, valueBytes: ValueBytes), 0);
            store.Flush();
            log.Read(i, log.DurableOffset, 1 << 20, atLeastOne: true, read);
            Assert.False(read.IsInFile);
            Assert.Equal(0, store.Memory.HeldBytes);
        }

        read.Reset();
        Assert.Equal(0, store.Memory.HeldBytes);
    }
}
