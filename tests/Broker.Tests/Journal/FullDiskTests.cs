using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Tests.Streams;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Journal;

public sealed class FullDiskTests
{
    private const int Messages = 3000;

    [Fact]
    public async Task A_full_disk_holds_producers_back_lets_consumers_drain_and_resumes_by_itself()
    {
        FileFaults faults = new() { CapacityBytes = 1 << 20 };
        using Scene scene = new(options => options with
        {
            FileSystem = new FaultyFileSystem(options.FileSystem, faults, new SeededRandom(1)),
            SegmentBytes = 64 << 10,
            ProducerCredit = 50,
        });
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        int sent = Publish(scene, actor, producer, 0);
        Assert.InRange(sent, 100, Messages - 1);
        Assert.DoesNotContain(actor.Published, done => done.Error is not null);
        Actor reader = scene.Connect("reader");
        Consumer consumer = reader.Consume("q", credit: 100);
        int received = 0;
        for (int round = 0; round < 500 && received < Messages; round++)
        {
            received += reader.Deliveries.Count;
            reader.Client.Grant(consumer, Math.Max(1, reader.Deliveries.Count));
            reader.AcceptAll();
            scene.Advance(1000);
            sent = Publish(scene, actor, producer, sent);
        }

        Management.NodeView node = await scene.Broker.Management.GetNodeAsync();
        Assert.True(received == Messages, $"{received} received, {sent} sent, {node}");
        Assert.Equal(Messages, actor.Published.Count(done => done.Error is null));
    }

    [Fact]
    public void What_waits_for_a_full_journal_is_bounded_and_leaves_nothing_behind()
    {
        FullJournal files = new();
        using Scene scene = new(options => options with
        {
            FileSystem = files,
            SegmentBytes = 64 << 10,
            CacheBytes = 1 << 20,
            ProducerCredit = 50,
            StalledBytesMax = 200_000,
        });
        Actor filler = scene.Connect("filler");
        filler.Send("q", "first");
        files.IsFull = true;
        Publish(scene, filler, filler.Producer("q"), 1);
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("r");
        for (int i = 0; i < 30; i++)
        {
            actor.Send(producer, new string('n', 20_000), header => header with { Durable = false });
            actor.Send(producer, "durable");
            actor.Pass();
        }

        for (int round = 0; round < 100; round++)
        {
            scene.Advance(1000);
        }

        Assert.True(files.SpilledBytes < 2 << 20, $"{files.SpilledBytes} bytes of messages that nobody gets");
        files.IsFull = false;
        scene.Advance(1000);
        Assert.Equal(60, actor.Published.Count);
        int refused = actor.Published.Count(done => done.Error?.Error == BrokerError.ResourceLimitExceeded);
        Assert.InRange(refused, 1, 59);
        actor.Consume("r");
        Assert.Equal(60 - refused, actor.Take().Length);
    }

    /// <summary>The stream takes or refuses what came first while the journal takes nothing, so that all of it waits;
    /// what comes then has another outcome.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_became_of_a_record_before_a_stall_is_told_whatever_becomes_of_later_ones(bool isTaken)
    {
        FullJournal files = new();
        using Scene scene = new(options => options with
        {
            FileSystem = files,
            SegmentBytes = 64 << 10,
            ProducerCredit = 50,
        });
        Partition partition = scene.Stream("s");
        Actor filler = scene.Connect("filler");
        files.IsFull = true;
        Publish(scene, filler, filler.Producer("q"), 0);
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("s");
        actor.Send(producer, "first");
        actor.Send(actor.Producer("r"), "waits");
        Limit(scene, partition, isTaken ? 1000 : 50);
        actor.Pass();
        Limit(scene, partition, 1000);
        actor.Send(producer, "second");
        Limit(scene, partition, isTaken ? 50 : 1000);
        actor.Pass();
        Assert.Empty(actor.Published);

        files.IsFull = false;
        scene.Advance(1000);
        scene.Advance(1000);
        BrokerError? none = null;
        Assert.Equal(
            isTaken ? [none, none, BrokerError.ResourceLimitExceeded] : [BrokerError.ResourceLimitExceeded, none, none],
            actor.Published.Select(done => done.Error?.Error));
        Assert.Equal([isTaken ? "first" : "second"], StreamScene.ReadAll(partition));
    }

    [Fact]
    public async Task A_purge_that_the_disk_does_not_take_is_no_success()
    {
        FileFaults faults = new();
        using Scene scene = new(options => options with
        {
            FileSystem = new FaultyFileSystem(options.FileSystem, faults, new SeededRandom(1)),
        });
        scene.Connect().Send("q", "a", "b");
        faults.SyncFailure = 1;
        scene.Connect("other").Send("q", "c");
        Task<long> purge = scene.Broker.Management.PurgeAsync(Identity.Node, "default", "q");
        scene.Settle();
        BrokerException error = await Assert.ThrowsAsync<BrokerException>(() => purge);
        Assert.Equal(BrokerError.Unavailable, error.Error);
    }

    private static void Limit(Scene scene, Partition partition, int batchBytesMax) => Assert.Equal(
        StreamError.None,
        scene.Broker.Streams.SetConfig(
            scene.GrantFor("s"), partition.Stream,
            new Dictionary<string, string> { ["max.message.bytes"] = $"{batchBytesMax}" }).Error);

    private static int Publish(Scene scene, Actor actor, Producer producer, int sent)
    {
        scene.Settle();
        while (sent < Messages && actor.Credit.GetValueOrDefault(producer) > 0)
        {
            for (; sent < Messages && actor.Credit[producer] > 0; sent++, actor.Credit[producer]--)
            {
                actor.Send(producer, new string('x', 1000));
            }

            scene.Settle();
        }

        return sent;
    }

    /// <summary>A disk that can be full for the journal alone.</summary>
    private sealed class FullJournal : IFileSystem
    {
        private readonly MemoryFileSystem _inner = new();

        public bool IsFull { get; set; }

        public long SpilledBytes => _inner.List("data/" + DataLayout.Spill, "")
            .Sum(name => ((IFileSystem)_inner).LengthOf($"data/{DataLayout.Spill}/{name}"));

        public IFile Open(string path, FileOpening opening) =>
            IsFull && opening == FileOpening.CreateNew && path.Contains(DataLayout.Journal, StringComparison.Ordinal)
                ? throw new StorageFullException("the disk is full")
                : _inner.Open(path, opening);

        public bool Exists(string path) => _inner.Exists(path);

        public void Delete(string path) => _inner.Delete(path);

        public void Rename(string source, string target) => _inner.Rename(source, target);

        public string[] List(string directory, string suffix) => _inner.List(directory, suffix);

        public string[] ListDirectories(string directory) => _inner.ListDirectories(directory);

        public void CreateDirectory(string directory) => _inner.CreateDirectory(directory);

        public void SyncDirectory(string directory) => _inner.SyncDirectory(directory);

        public long FreeBytes(string directory) => _inner.FreeBytes(directory);

        public IDisposable LockDirectory(string directory) => _inner.LockDirectory(directory);
    }
}
