using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>
/// Seeded lives of a partition with power cuts: producers with sequences, transactions that commit and abort,
/// checkpoints,
/// retention of none. After each cut everything that had been acknowledged is there, decided as it was, and no producer
/// can
/// append the same batch twice.
/// </summary>
public sealed class StreamCrashTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Power_cuts_take_nothing_that_was_acknowledged(int number)
    {
        SeededRandom random = Seeds.New(out string seed);
        for (int i = 0; i < number; i++)
        {
            random.NextUInt64();
        }

        using var life = new StreamLife(new SeededRandom(random.NextUInt64()), seed);
        for (int generation = 0; generation < 25; generation++)
        {
            life.Live(operations: 40);
            life.CutPower();
        }

        Assert.True(life.Acknowledged > 100, seed);
    }

    /// <summary>A batch that was appended, and whether that was acknowledged.</summary>
    private sealed record Written(long Producer, int Sequence, long Offset, string Value)
    {
        public bool? IsCommitted { get; set; }
    }

    private sealed class StreamLife : IDisposable
    {
        private const int Producers = 3;
        private readonly SeededRandom _random;
        private readonly string _seed;
        private readonly List<Written> _written = [];
        private readonly int[] _sequences = new int[Producers];
        private RecordingFileSystem _files = new();
        private readonly StreamScene _scene;
        private Partition _partition;
        private int _number;

        public StreamLife(SeededRandom random, string seed)
        {
            _random = random;
            _seed = seed;
            _scene = new StreamScene(_files);
            _partition = _scene.CreateOne("table");
            _scene.Broker.Pump();
        }

        public int Acknowledged { get; private set; }

        public void Dispose() => _scene.Dispose();

        public void Live(int operations)
        {
            for (int i = 0; i < operations; i++)
            {
                int dice = _random.Next(100);
                if (dice < 60)
                {
                    Append(_random.Next(Producers));
                }
                else if (dice < 75)
                {
                    End(_random.Next(Producers), _random.Next(2) == 0);
                }
                else
                {
                    _scene.Clock.Advance(_random.Next(10) == 0 ? 40_000 : 1);
                    _scene.Broker.Pump();
                }
            }
        }

        public void CutPower()
        {
            long durable = _partition.HighWatermark;
            MemoryFileSystem image = _files.MakeCrashImage(new SeededChoice(_random));
            _files = new RecordingFileSystem(image);
            _scene.RestartOn(_files);
            _partition = _scene.Find("table");
            Assert.True(_partition.EndOffset >= durable, $"{durable} became {_partition.EndOffset} {_seed}");
            Acknowledged += (int)durable;
            _written.RemoveAll(written => written.Offset >= _partition.EndOffset);
            ForgetLostMarkers();
            CheckRecords();
            CheckProducers();
        }

        /// <summary>A marker that was not acknowledged may be lost: then its transaction is open again.</summary>
        private void ForgetLostMarkers()
        {
            foreach (ProducerView producer in _partition.DescribeProducers().Where(view => view.TransactionStart >= 0))
            {
                foreach (Written written in _written.Where(
                    written => written.Producer == producer.ProducerId && written.Offset >= producer.TransactionStart))
                {
                    written.IsCommitted = null;
                }
            }
        }

        private void CheckRecords()
        {
            Assert.Equal(_written.Select(written => written.Value), StreamScene.ReadAll(_partition));
            long stable = _partition.LastStableOffset;
            Written? open = _written.Find(written => written.IsCommitted is null);
            Assert.Equal(open?.Offset ?? _partition.EndOffset, stable);
            using var read = new StreamRead();
            var options = new ReadOptions { Isolation = Isolation.Committed, BytesMax = 1 << 24 };
            Assert.Equal(StreamError.None, _partition.Read(0, options, read));
            foreach (Written written in _written.Where(written => written.Offset < stable))
            {
                bool isListed = read.Aborted.Any(aborted =>
                    aborted.ProducerId == written.Producer && aborted.FirstOffset == FirstOf(written));
                Assert.True(isListed == (written.IsCommitted == false), $"{written} {_seed}");
            }
        }

        /// <summary>First offset of the transaction that a batch belongs to.</summary>
        private long FirstOf(Written written) => _firsts[(written.Producer, written.Sequence)];

        private readonly Dictionary<(long, int), long> _firsts = [];

        private void CheckProducers()
        {
            for (int producer = 0; producer < Producers; producer++)
            {
                List<Written> own = _written.FindAll(written => written.Producer == producer);
                _sequences[producer] = own.Count;
                foreach (Written last in own.TakeLast(5))
                {
                    AppendResult again = Send(producer, last.Sequence, last.Value);
                    if (last.IsCommitted is not null)
                    {
                        // Its transaction has ended: it is no repetition, and not appended either.
                        Assert.Equal((StreamError.OutOfOrderSequence, false), (again.Error, again.IsDuplicate));
                        continue;
                    }

                    Assert.True(again.IsDuplicate, $"{last} was appended twice {_seed}");
                    Assert.Equal(last.Offset, again.BaseOffset);
                }
            }
        }

        private void Append(int producer)
        {
            string value = $"v{++_number}";
            int sequence = _sequences[producer];
            AppendResult result = Send(producer, sequence, value);
            Assert.Equal((StreamError.None, null, false), (result.Error, result.Message, result.IsDuplicate));
            Written? open = _written.Find(w => w.Producer == producer && w.IsCommitted is null);
            _firsts[(producer, sequence)] = open?.Offset ?? result.BaseOffset;
            _written.Add(new Written(producer, sequence, result.BaseOffset, value));
            _sequences[producer]++;
        }

        private AppendResult Send(int producer, int sequence, string value)
        {
            var options = new RecordBatchOptions
            {
                ProducerId = producer,
                ProducerEpoch = 0,
                BaseSequence = sequence,
                IsTransactional = true,
            };
            return _partition.Append(_scene.Batch(options, value).Span, new AppendOptions());
        }

        private void End(int producer, bool isCommit)
        {
            if (!_partition.HasOpenTransaction(producer, 0))
            {
                return;
            }

            var marker = new EndTransactionMarker(isCommit, 0);
            Assert.Equal(StreamError.None, _partition.EndTransaction(producer, 0, marker, false).Error);
            foreach (Written written in _written.Where(w => w.Producer == producer && w.IsCommitted is null))
            {
                written.IsCommitted = isCommit;
            }
        }
    }

    private sealed class SeededChoice(SeededRandom random) : ICrashChoice
    {
        private readonly int _kind = random.Next(3);

        public int ChooseEntries(int changes) => random.Next(changes + 1);

        public bool ChooseChange(int index, int count) => _kind == 0 || (_kind == 2 && random.Next(2) == 0);

        public bool ChooseSector(int index, int count) => _kind == 0 || random.Next(4) != 0;
    }
}
