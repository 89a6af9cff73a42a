using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Compaction against a model: of each key the last value, at its offset.</summary>
public sealed class CompactionTests
{
    private const int Keys = 12;

    [Theory]
    [InlineData(RecordCompression.None, false, 1000)]
    [InlineData(RecordCompression.Lz4, false, 1000)]
    [InlineData(RecordCompression.None, true, 1000)]
    [InlineData(RecordCompression.None, false, 5)]
    [InlineData(RecordCompression.None, true, 5)]
    public void The_last_value_of_each_key_stays_where_it_was(
        RecordCompression compression, bool isTransactional, int keysMax)
    {
        SeededRandom random = Seeds.New(out string seed);
        using var life = new CompactedLife(random, compression, isTransactional, keysMax);
        for (int round = 0; round < 6; round++)
        {
            life.Write(random.Next(150));
            life.Compact();
            life.Check(seed);
            if (round % 2 == 1)
            {
                life.Restart();
                life.Check(seed);
            }
        }

        Assert.True(life.Lost > 0, seed);
    }

    /// <summary>More keys than are remembered at once, in one segment and in one batch: each round goes on where the
    /// last one was full, and in the end each key is there once.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void More_keys_than_fit_are_compacted_in_rounds(int recordsPerBatch)
    {
        const int KeysMax = 7;
        const int Distinct = 50;
        using var scene = new StreamScene(configure: o => o with { StreamCompactionKeysMax = KeysMax });
        Partition partition = Create(scene);
        for (int round = 0; round < 3; round++)
        {
            for (int from = 0; from < Distinct; from += recordsPerBatch)
            {
                var builder = new RecordBatchBuilder();
                for (int key = from; key < from + recordsPerBatch; key++)
                {
                    builder.Add(
                        scene.Clock.NowMs, Encoding.UTF8.GetBytes($"k{key}"), Encoding.UTF8.GetBytes($"v{round}"));
                }

                Assert.Equal(StreamError.None, partition.Append(builder.Finish().Span, new AppendOptions()).Error);
            }
        }

        for (int i = 0; i < 3 * Distinct / KeysMax + 3; i++)
        {
            Compact(scene, partition);
        }

        List<(long Offset, string Key, string? Value)> left = Records(partition);
        Assert.Equal(
            Enumerable.Range(0, Distinct).Select(key => (2L * Distinct + key, $"k{key}", "v2")),
            left.Select(record => (record.Offset, record.Key, record.Value!)));
    }

    [Fact]
    public void Tombstones_stay_for_their_time_and_then_go()
    {
        using var scene = new StreamScene();
        Partition partition = Create(scene);
        Write(scene, partition, "k", "v");
        Write(scene, partition, "k", null);
        Write(scene, partition, "other", "v");
        Compact(scene, partition);
        Assert.Equal([(1L, "k", null), (2L, "other", "v")], Records(partition));
        scene.Clock.Advance(86_400_001);
        Write(scene, partition, "more", "v");
        Compact(scene, partition);
        Assert.DoesNotContain(Records(partition), record => record.Key == "k");
    }

    /// <summary>The checkpoint has the sizes of segments that compaction has made smaller since.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_power_cut_after_compaction_finds_the_segments_as_they_are(bool wasClosed)
    {
        var disk = new RecordingFileSystem();
        using var scene = new StreamScene(disk);
        Partition partition = Create(scene);
        var producer = new RecordBatchOptions { ProducerId = 9, ProducerEpoch = 0, BaseSequence = 0 };
        Assert.Equal(StreamError.None, partition.Append(Batch(scene, producer, "p", "v"), new AppendOptions()).Error);
        WriteMany(scene, partition, "before");
        if (wasClosed)
        {
            scene.Broker.Pump();
            partition.Log.Roll();
            WriteMany(scene, partition, "between");
        }

        scene.Clock.Advance(31_000);
        scene.Broker.Pump();
        WriteMany(scene, partition, "after");
        Compact(scene, partition);
        WriteMany(scene, partition, "last");
        scene.Broker.Pump();
        List<(long, string, string?)> expected = Records(partition);

        scene.RestartOn(new RecordingFileSystem(disk.MakeCrashImage(new Unsynced(false))));
        partition = scene.Find("table");
        Assert.Equal(expected, Records(partition));
        AppendResult again = partition.Append(Batch(scene, producer, "p", "v"), new AppendOptions());
        Assert.Equal((StreamError.None, true), (again.Error, again.IsDuplicate));
        Write(scene, partition, "k0", "new");
        Compact(scene, partition);
        Assert.Contains(Records(partition), record => record is { Key: "k0", Value: "new" });
        Assert.Equal(4, Records(partition).Count);
    }

    [Fact]
    public void The_last_batch_of_a_producer_keeps_its_sequence()
    {
        using var scene = new StreamScene();
        Partition partition = Create(scene);
        var options = new RecordBatchOptions { ProducerId = 9, ProducerEpoch = 0, BaseSequence = 0 };
        Assert.Equal(StreamError.None, partition.Append(Batch(scene, options, "k", "v"), new AppendOptions()).Error);
        Write(scene, partition, "k", "newer");
        Compact(scene, partition);
        Assert.Equal([(1L, "k", "newer")], Records(partition));
        scene.RestartWithoutCheckpoint();
        partition = scene.Find("table");
        AppendResult again = partition.Append(Batch(scene, options, "k", "v"), new AppendOptions());
        Assert.Equal((StreamError.None, true), (again.Error, again.IsDuplicate));
    }

    [Fact]
    public void Records_without_a_key_are_refused_one_by_one()
    {
        using var scene = new StreamScene();
        Partition partition = Create(scene);
        var builder = new RecordBatchBuilder();
        builder.Add(scene.Clock.NowMs, "k"u8, "v"u8);
        builder.Add(new RecordContent { TimestampMs = scene.Clock.NowMs });
        AppendResult result = partition.Append(builder.Finish().Span, new AppendOptions());
        Assert.Equal(StreamError.InvalidRecord, result.Error);
        Assert.Equal(1, Assert.Single(result.RecordErrors!).Index);
    }

    private static Partition Create(StreamScene scene) => scene.CreateOne(
        "table", ("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0"), ("segment.bytes", "1048576"));

    private static void WriteMany(StreamScene scene, Partition partition, string value)
    {
        for (int i = 0; i < 12; i++)
        {
            Write(scene, partition, $"k{i % 3}", $"{value} {i}");
        }
    }

    private static void Write(StreamScene scene, Partition partition, string key, string? value)
    {
        AppendResult result = partition.Append(
            Batch(scene, new RecordBatchOptions(), key, value), new AppendOptions());
        Assert.Equal((StreamError.None, null), (result.Error, result.Message));
    }

    private static byte[] Batch(StreamScene scene, in RecordBatchOptions options, string key, string? value)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(options);
        builder.Add(new RecordContent
        {
            TimestampMs = scene.Clock.NowMs,
            HasKey = true,
            Key = Encoding.UTF8.GetBytes(key),
            HasValue = value is not null,
            Value = Encoding.UTF8.GetBytes(value ?? ""),
        });
        return builder.Finish().ToArray();
    }

    private static void Compact(StreamScene scene, Partition partition)
    {
        scene.Broker.Pump();
        partition.Log.Roll();
        scene.Clock.Advance(6000);
        scene.Broker.Pump();
    }

    private static List<(long Offset, string Key, string? Value)> Records(Partition partition)
    {
        var found = new List<(long, string, string?)>();
        using var read = new StreamRead();
        long offset = 0;
        while (true)
        {
            var options = new ReadOptions { Isolation = Isolation.Committed, AtLeastOneBatch = true };
            Assert.Equal(StreamError.None, partition.Read(offset, options, read));
            if (read.Bytes == 0)
            {
                return found;
            }

            byte[] bytes = StreamScene.BytesOf(read);
            HashSet<(long, long)> aborted = [.. read.Aborted.Select(a => (a.ProducerId, a.FirstOffset))];
            for (ReadOnlySpan<byte> rest = bytes; !rest.IsEmpty;)
            {
                Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(rest, out RecordBatch batch));
                Assert.True(batch.IsCrcValid && batch.NextOffset > offset);
                AddRecords(found, batch, aborted);
                offset = batch.NextOffset;
                rest = rest[batch.SizeBytes..];
            }
        }
    }

    /// <summary>One transaction is one batch here, so the first offset names it.</summary>
    private static void AddRecords(
        List<(long, string, string?)> found, in RecordBatch batch, HashSet<(long, long)> aborted)
    {
        if (batch.IsControl || aborted.Contains((batch.ProducerId, batch.BaseOffset)))
        {
            return;
        }

        using var plain = new PooledBuffer();
        RecordCodec.TryDecompress(batch.Compression, batch.Records, plain);
        var reader = new RecordReader(plain.WrittenSpan, batch.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            string? value = record.HasValue ? Encoding.UTF8.GetString(record.Value) : null;
            found.Add((batch.BaseOffset + record.OffsetDelta, Encoding.UTF8.GetString(record.Key), value));
        }

        Assert.True(batch.Count == 0 || reader.IsComplete);
    }

    private sealed class CompactedLife : IDisposable
    {
        private readonly StreamScene _scene;
        private readonly SeededRandom _random;
        private readonly bool _isTransactional;
        private readonly Dictionary<string, (long Offset, string? Value)> _model = [];
        private readonly Dictionary<long, int> _sequences = [];
        private Partition _partition;

        public CompactedLife(SeededRandom random, RecordCompression compression, bool isTransactional, int keysMax)
        {
            _scene = new StreamScene(configure: options => options with { StreamCompactionKeysMax = keysMax });
            _random = random;
            _isTransactional = isTransactional;
            _partition = Create(_scene);
            _scene.Catalog.SetConfig(_scene.GrantFor("table"), _partition.Stream, new Dictionary<string, string>(
                _partition.Stream.Config.Given)
            {
                ["compression.type"] = compression == RecordCompression.None ? "producer" : "lz4",
            });
        }

        public long Lost { get; private set; }

        public void Write(int batches)
        {
            for (int i = 0; i < batches; i++)
            {
                WriteBatch(producerId: _isTransactional ? _random.Next(3) : -1, count: 1 + _random.Next(4));
                if (_random.Next(20) == 0)
                {
                    _scene.Broker.Pump();
                    _partition.Log.Roll();
                }
            }

            _scene.Broker.Pump();
        }

        public void Compact()
        {
            long before = _partition.SizeBytes;
            CompactionTests.Compact(_scene, _partition);
            Lost += before - _partition.SizeBytes;
        }

        public void Restart()
        {
            _scene.Restart();
            _partition = _scene.Find("table");
        }

        public void Check(string seed)
        {
            List<(long Offset, string Key, string? Value)> found = Records(_partition);
            var last = new Dictionary<string, (long, string?)>();
            foreach ((long offset, string key, string? value) in found)
            {
                last[key] = (offset, value);
            }

            foreach ((string key, (long Offset, string? Value) expected) in _model)
            {
                Assert.True(last.TryGetValue(key, out (long, string?) seen), $"{key} is gone {seed}");
                Assert.True(expected == seen, $"{key}: {expected} became {seen} {seed}");
            }

            Assert.Equal(_partition.EndOffset, _partition.LastStableOffset);
        }

        public void Dispose() => _scene.Dispose();

        private void WriteBatch(long producerId, int count)
        {
            var builder = new RecordBatchBuilder();
            int sequence = _sequences.GetValueOrDefault(producerId);
            builder.Begin(new RecordBatchOptions
            {
                ProducerId = producerId,
                ProducerEpoch = (short)(producerId < 0 ? -1 : 0),
                BaseSequence = producerId < 0 ? -1 : sequence,
                IsTransactional = producerId >= 0,
            });
            var written = new List<(string Key, string? Value)>();
            for (int i = 0; i < count; i++)
            {
                string key = $"key-{_random.Next(Keys)}";
                string? value = _random.Next(6) == 0 ? null : $"value {_random.Next(1000)}";
                written.Add((key, value));
                builder.Add(new RecordContent
                {
                    TimestampMs = _scene.Clock.NowMs,
                    HasKey = true,
                    Key = Encoding.UTF8.GetBytes(key),
                    HasValue = value is not null,
                    Value = Encoding.UTF8.GetBytes(value ?? ""),
                });
            }

            AppendResult result = _partition.Append(builder.Finish().Span, new AppendOptions());
            Assert.Equal((StreamError.None, null), (result.Error, result.Message));
            _sequences[producerId] = sequence + count;
            if (producerId < 0 || End(producerId))
            {
                for (int i = 0; i < count; i++)
                {
                    _model[written[i].Key] = (result.BaseOffset + i, written[i].Value);
                }
            }
        }

        private bool End(long producerId)
        {
            bool isCommit = _random.Next(3) > 0;
            var marker = new EndTransactionMarker(isCommit, 0);
            Assert.Equal(
                StreamError.None, _partition.EndTransaction(producerId, 0, marker, isTransactionV2: false).Error);
            return isCommit;
        }
    }
}
