using System.Buffers.Binary;
using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

/// <summary>Flips bits in a small store: each is found, or did not matter; what is read is always right.</summary>
public sealed class BitRotTests(ITestOutputHelper output)
{
    private const int RecordCount = 60;
    private const string BlobPath = "large/0000000000000001.blob";

    [Fact]
    public void EveryBitOfEveryHeaderIsGuarded()
    {
        Store store = Store.Make(seed: 11);
        int flips = 0;
        foreach (string path in store.Files.Paths)
        {
            foreach (long offset in store.HeaderOffsets(path))
            {
                for (int bit = 0; bit < 8; bit++)
                {
                    flips++;
                    store.CheckWithFlip(path, offset, bit);
                }
            }
        }

        output.WriteLine($"{flips} bits");
        Assert.True(flips > 8_000);
    }

    [Fact]
    public void RandomBitsAnywhereNeverGiveWrongData()
    {
        const ulong Seed = 12;
        output.WriteLine($"seed {Seed}");
        var random = new SeededRandom(Seed);
        Store store = Store.Make(Seed);
        string[] paths = store.Files.Paths;
        for (int i = 0; i < 20_000; i++)
        {
            string path = paths[random.Next(paths.Length)];
            long length = store.Files.DataOf(path).Length;
            store.CheckWithFlip(path, random.Next((int)length), random.Next(8));
        }
    }

    /// <summary>A clean store with a log of several segments, two snapshots, reserved ids and a blob.</summary>
    private sealed class Store
    {
        private readonly List<(long Position, byte[] Payload)> _records = [];
        private readonly byte[] _blob = new byte[100_000];
        private readonly byte[] _index = new byte[70_000];
        private long _tail;

        public MemoryFileSystem Files { get; } = new();

        public static Store Make(ulong seed)
        {
            var store = new Store();
            var random = new SeededRandom(seed);
            random.Fill(store._blob);
            random.Fill(store._index);
            using (SegmentedLog log = Files(store).OpenEmpty(LogTesting.Small with { ReserveSegments = 0 }))
            {
                store.FillLog(log, random);
            }

            using SegmentedLog again = Files(store).OpenAndReplay(
                LogTesting.Small with { ReserveSegments = 0 }, out _, out RecoveryReport report);
            store._tail = report.TailPosition;
            store.WriteSnapshot(SegmentedLog.FirstPosition);
            store.WriteSnapshot(store._records[30].Position);
            using BlobStore blobs = BlobStore.Open(store.Files, "large");
            using BlobWriter writer = blobs.Create();
            writer.Write(store._blob);
            writer.Complete();
            return store;

            static MemoryFileSystem Files(Store store) => store.Files;
        }

        /// <summary>Offsets of the bytes that say where things are: file headers, record headers, chunk headers, ends.
        /// </summary>
        public IEnumerable<long> HeaderOffsets(string path)
        {
            long length = Files.DataOf(path).Length;
            IEnumerable<long> offsets = Range(0, FileHeader.Bytes);
            if (path.EndsWith(".seg", StringComparison.Ordinal))
            {
                long start = LogTesting.BaseOf(path["log/".Length..]);
                foreach ((long position, _) in _records)
                {
                    long offset = FileHeader.Bytes + position - start;
                    offsets = offset >= FileHeader.Bytes && offset + RecordFormat.HeaderBytes <= length
                        ? offsets.Concat(Range(offset, RecordFormat.HeaderBytes))
                        : offsets;
                }
            }
            else if (!path.EndsWith(".ids", StringComparison.Ordinal))
            {
                offsets = offsets
                    .Concat(Range(FileHeader.Bytes, RecordFormat.HeaderBytes))
                    .Concat(Range(length - ChunkFile.EndBytes, ChunkFile.EndBytes));
            }

            return offsets;
        }

        public void CheckWithFlip(string path, long offset, int bit)
        {
            MemoryFileSystem files = Files.Copy();
            Bits.Flip(files, path, offset, bit);
            CheckLog(files);
            CheckSnapshots(files);
            CheckBlob(files);
        }

        private static IEnumerable<long> Range(long from, int count) =>
            Enumerable.Range(0, count).Select(i => from + i);

        private void FillLog(SegmentedLog log, SeededRandom random)
        {
            for (int i = 0; i < RecordCount; i++)
            {
                byte[] payload = new byte[random.Next(300)];
                random.Fill(payload);
                var batch = new LogBatch();
                batch.Add(1, payload);
                _records.Add((log.Append(batch), payload));
                if (i % 4 == 0)
                {
                    log.Flush();
                }
            }
        }

        private void WriteSnapshot(long position)
        {
            using SnapshotWriter writer = SnapshotFile.Create(Files, "snapshots", position);
            Span<byte> number = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(number, position);
            writer.Write(number);
            writer.Write(_index);
            writer.Complete();
        }

        private void CheckLog(MemoryFileSystem files)
        {
            var list = new PayloadList();
            using SegmentedLog log = SegmentedLog.Open(files, "log", LogTesting.Small with { ReserveSegments = 0 });
            RecoveryReport report = log.Replay(0, list);
            int next = 0;
            foreach ((long position, byte[] payload) in list.Seen)
            {
                next = _records.FindIndex(next, record => record.Position == position);
                Assert.True(next >= 0, "a record that was never written");
                Assert.Equal(_records[next].Payload, payload);
            }

            bool isReported = report.Damages.Count > 0 || report.Quarantined.Count > 0;
            Assert.True(list.Seen.Count == _records.Count || isReported, "a durable record went missing silently");
            Assert.True(report.TailPosition >= _records[^1].Position + RecordFormat.HeaderBytes);
            Assert.True(isReported || report.TailPosition <= _tail);
        }

        private void CheckSnapshots(MemoryFileSystem files)
        {
            SnapshotSearch search = SnapshotFile.OpenNewest(files, "snapshots");
            using SnapshotReader? reader = search.Reader;
            Assert.NotNull(reader);
            byte[] content = new byte[reader.Length];
            reader.Read(content);
            Assert.Equal(reader.Position, BinaryPrimitives.ReadInt64LittleEndian(content));
            Assert.True(_index.AsSpan().SequenceEqual(content.AsSpan(sizeof(long))));
            Assert.True(reader.Position == _records[30].Position || search.Damaged.Count == 1);
        }

        private void CheckBlob(MemoryFileSystem files)
        {
            using BlobStore blobs = BlobStore.Open(files, "large");
            Assert.Equal([1], blobs.ListIds());
            try
            {
                using BlobReader reader = blobs.OpenRead(1);
                byte[] content = new byte[_blob.Length + 1];
                int count = reader.ReadAsync(0, content, CancellationToken.None).AsTask().GetAwaiter().GetResult();
                Assert.True(_blob.AsSpan().SequenceEqual(content.AsSpan(0, count)));
            }
            catch (StorageException error)
            {
                Assert.Contains(BlobPath, error.Message, StringComparison.Ordinal);
            }

            using BlobWriter next = blobs.Create();
            Assert.True(next.Id > 1);
        }
    }

    private sealed class PayloadList : IRecordVisitor
    {
        public List<(long Position, byte[] Payload)> Seen { get; } = [];

        public void Visit(in LogRecord record) => Seen.Add((record.Position, record.Payload.ToArray()));
    }
}
