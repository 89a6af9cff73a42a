using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.BranchSteps;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Branches of distributed transactions that publish to streams.</summary>
public sealed class StreamBranchTests
{
    [Fact]
    public void A_prepared_branch_keeps_no_reader_of_the_stream_waiting_and_appears_when_it_is_committed()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = Prepare(scene);
        Assert.Equal(0, partition.EndOffset);
        scene.Append(partition, "meanwhile");
        Assert.Equal(1, partition.LastStableOffset);
        End(scene, actor, isCommit: true);
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(["meanwhile", "one", "two"], Committed(scene));
        Assert.Equal(partition.HighWatermark, partition.LastStableOffset);
        Assert.Empty(actor.Client.Xa.Recover());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Its_records_survive_a_restart(bool isCommit, bool isCrash)
    {
        using Scene scene = new();
        scene.Stream("s", partitions: 2);
        Prepare(scene);
        Again(scene, isCrash);
        Actor actor = scene.Connect();
        Assert.Equal([Name], actor.Client.Xa.Recover());
        Assert.Empty(Committed(scene));
        End(scene, actor, isCommit);
        Again(scene, isCrash);
        Assert.Equal(isCommit ? ["one", "two"] : [], Committed(scene));
        Assert.Empty(scene.Connect().Client.Xa.Recover());
    }

    [Fact]
    public void They_survive_restarts_after_snapshots()
    {
        using Scene scene = new(options => options with { SegmentBytes = 64 << 10, SnapshotBytesMin = 32 << 10 });
        scene.Stream("s");
        Prepare(scene);
        Churn(scene);
        End(scene, scene.Connect(), isCommit: true);
        Assert.Equal(["one", "two"], Committed(scene));
    }

    [Fact]
    public void One_phase_commits_records_too()
    {
        using Scene scene = new();
        scene.Stream("s");
        Actor actor = Work(scene);
        actor.Client.Xa.End(Name);
        actor.Client.Xa.Commit(Name, onePhase: true, 1);
        scene.Settle();
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(["one", "two"], Committed(scene));
    }

    [Fact]
    public void A_stream_that_is_deleted_meanwhile_takes_its_records_with_it_and_the_branch_commits()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = Prepare(scene, queueToo: true);
        CatalogResult deleted = scene.Broker.Streams.Delete(scene.GrantFor("s"), partition.Stream);
        Assert.Equal(StreamError.None, deleted.Error);
        scene.Settle();
        End(scene, actor, isCommit: true);
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        actor.Consume("out");
        Assert.Equal(["message"], actor.Take());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_operator_ends_it(bool isCommit)
    {
        using Scene scene = new();
        scene.Stream("s");
        Prepare(scene, queueToo: true);
        var operators = scene.Broker.Management.Transactions;
        Assert.Equal(3, Assert.Single(operators.List(Identity.Node)).Messages);
        await (isCommit
            ? operators.CommitAsync(Identity.Node, Name.ToString())
            : operators.RollbackAsync(Identity.Node, Name.ToString()));
        scene.Settle();
        Assert.Equal(isCommit ? ["one", "two"] : [], Committed(scene));
    }

    [Fact]
    public void A_full_disk_leaves_it_prepared_and_writes_nothing_twice()
    {
        var faults = new FileFaults();
        var disk = new FaultyFileSystem(new MemoryFileSystem(), faults, Seeds.New(out _));
        using Scene scene = new(options => options with { FileSystem = disk });
        scene.Stream("s");
        Actor actor = Prepare(scene);
        faults.WriteFull = 1;
        scene.Append(scene.Broker.Streams.Find("s")!.Partitions[0], "fills the disk");
        scene.Settle();
        actor.Client.Xa.Commit(Name, onePhase: false, 1);
        scene.Settle();
        Assert.Equal(BrokerError.Unavailable, Assert.Single(actor.Discharged).Error?.Error);
        Assert.Equal([Name], actor.Client.Xa.Recover());
        faults.WriteFull = 0;
        scene.Advance(5000);
        actor.Discharged.Clear();
        End(scene, actor, isCommit: true);
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(["fills the disk", "one", "two"], Committed(scene));
    }

    /// <summary>Power goes at each sync from the preparation on: records and message are there together or not, and
    /// once.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_or_neither_whatever_sync_the_power_goes_at(bool isUnsyncedThere)
    {
        var images = new CrashImages(isUnsyncedThere);
        using (Scene scene = new(options => options with { FileSystem = images.Disk }))
        {
            scene.Stream("s", partitions: 2);
            scene.Settle();
            Actor actor = Work(scene, queueToo: true);
            images.Begin();
            actor.Client.Xa.End(Name);
            actor.Client.Xa.Prepare(Name, 1);
            scene.Settle();
            images.Told = "prepared";
            actor.Client.Xa.Commit(Name, onePhase: false, 2);
            scene.Settle();
            images.Told = "committed";
            scene.Advance(1000);
        }

        foreach ((string before, MemoryFileSystem image) in images.All)
        {
            using Scene scene = new(files: image);
            scene.Settle();
            Actor actor = scene.Connect();
            bool isInDoubt = actor.Client.Xa.Recover().Count > 0;
            if (isInDoubt)
            {
                string early = string.Join(',', Committed(scene));
                Assert.True(early.Length == 0, $"{before}: '{early}' though it is in doubt");
                End(scene, actor, isCommit: true);
            }

            string records = string.Join(',', Committed(scene));
            actor.Consume("out");
            string message = string.Join(',', actor.Take());
            Assert.True(
                (records, message) is ("one,two", "message") or ("", ""), $"{before}: '{records}' and '{message}'");
            Assert.True(before.Length == 0 || records.Length > 0, $"{before}, and yet nothing came of it");
        }

        Assert.Contains(images.All, image => image.Told == "prepared");
    }

    private static Actor Work(Scene scene, bool queueToo = false)
    {
        Actor actor = scene.Connect();
        if (queueToo)
        {
            actor.Queue("out");
        }

        Transaction transaction = actor.Client.Xa.Start(Name);
        actor.Send(actor.Producer("s::0"), "one", transaction: transaction);
        actor.Send(actor.Producer("s::0"), "two", transaction: transaction);
        if (queueToo)
        {
            actor.Send(actor.Producer("out"), "message", transaction: transaction);
        }

        scene.Settle();
        return actor;
    }

    private static Actor Prepare(Scene scene, bool queueToo = false)
    {
        Actor actor = Work(scene, queueToo);
        actor.Client.Xa.End(Name);
        Assert.True(actor.Client.Xa.Prepare(Name, 1));
        scene.Settle();
        return actor;
    }

    // What a reader gets that is shown committed records only.
    private static List<string> Committed(Scene scene)
    {
        Actor actor = scene.Connect("reader");
        actor.Consume("", 1000, options => options with
        {
            Stream = new StreamReading { Stream = "s", Start = StreamStart.First },
        });
        List<string> values = [.. actor.Deliveries.Select(delivery => Value(actor, delivery))];
        actor.Client.Dispose();
        scene.Actors.Remove(actor);
        scene.Settle();
        return values;
    }
}
