using Pillarbox.Model;
using Pillarbox.Storage.Partitions;
using Pillarbox.Storage.Tests.Crash;

namespace Pillarbox.Storage.Tests.Partitions;

/// <summary>
/// Seeded runs over recorded files: appends to several partitions, flushes, marks, deletions. At each sync, images of
/// what
/// a power cut may leave are recovered and compared with what had been promised.
/// </summary>
public sealed class PartitionCrashTests(ITestOutputHelper output)
{
    private const int Partitions = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_crash_image_keeps_what_was_durable(int number)
    {
        ulong seed = (ulong)number + (ulong.TryParse(
            Environment.GetEnvironmentVariable("PILLARBOX_SEED"), out ulong given) ? given : 0);
        output.WriteLine($"seed {seed}");
        var life = new PartitionLife(seed);
        life.Run(generations: 6, operationsEach: 60);
        output.WriteLine($"{life.Images} images, {life.TornImages} with a torn end");
        Assert.True(life.Images > 1000);
        Assert.True(life.TornImages > 50);
    }

    private sealed class PartitionLife(ulong seed)
    {
        private readonly SeededRandom _random = new(seed);
        private readonly List<int>[] _written = [.. Enumerable.Range(0, Partitions).Select(_ => new List<int>())];
        private readonly PartitionMark?[] _marks = new PartitionMark?[Partitions];
        private PartitionLog[] _logs = [];
        private RecordingFileSystem _files = new();
        private PartitionStore? _store;
        private int _number;

        public int Images { get; private set; }

        public int TornImages { get; private set; }

        public void Run(int generations, int operationsEach)
        {
            for (int generation = 0; generation < generations; generation++)
            {
                Open();
                _files.Syncing = () => CheckImages(15);
                for (int i = 0; i < operationsEach; i++)
                {
                    DoOne(_random.Next(100));
                }

                _files.Syncing = null;
                MemoryFileSystem image = _files.MakeCrashImage(new CrashChoice((CrashKind)_random.Next(5), _random));
                _files = new RecordingFileSystem(image);
            }
        }

        private void Open()
        {
            _store = _files.OpenStore(cacheBytes: 4096);
            _logs = [.. Enumerable.Range(0, Partitions).Select(i => _store.OpenLog(i, out _, out _, _marks[i]))];
            for (int i = 0; i < Partitions; i++)
            {
                // What was never acknowledged may be lost or not: the log decides.
                long next = _logs[i].NextOffset;
                _written[i].RemoveRange((int)next, _written[i].Count - (int)next);
            }
        }

        private void DoOne(int dice)
        {
            int partition = _random.Next(Partitions);
            switch (dice)
            {
                case < 60:
                    int valueBytes = _random.Next(20) == 0 ? 3000 : _random.Next(300);
                    _logs[partition].Append(PartitionTesting.Batch(++_number, valueBytes: valueBytes), 0);
                    _written[partition].Add(_number);
                    break;
                case < 95:
                    _store!.Flush();
                    break;
                default:
                    _store!.Flush();
                    _store.SyncUnsynced();
                    _marks[partition] = _logs[partition].Mark();
                    break;
            }
        }

        private void CheckImages(int count)
        {
            for (int i = 0; i < count; i++)
            {
                MemoryFileSystem image = _files.MakeCrashImage(new CrashChoice((CrashKind)(i % 5), _random));
                Images++;
                using PartitionStore store = image.OpenStore();
                bool isTorn = false;
                for (int partition = 0; partition < Partitions; partition++)
                {
                    isTorn |= Check(store, partition);
                }

                TornImages += isTorn ? 1 : 0;
            }
        }

        private bool Check(PartitionStore store, int partition)
        {
            PartitionLog log = store.OpenLog(partition, out _, out PartitionReport report, _marks[partition]);
            Assert.Empty(report.Damages);
            Assert.True(log.NextOffset >= _logs[partition].DurableOffset, "a durable batch is missing");
            List<int> found = log.ReadNumbers(0);
            Assert.Equal(_written[partition].Take(found.Count), found);
            Assert.Equal(log.NextOffset, found.Count);
            Assert.Equal(log.NextOffset, log.Append(PartitionTesting.Batch(-1), 0));
            store.Flush();
            Assert.Equal(-1, log.ReadNumbers(log.NextOffset - 1)[^1]);
            return report.TornBytes > 0 || report.SetAside.Count > 0;
        }
    }
}
