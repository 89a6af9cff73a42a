using System.Globalization;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;
using static Pillarbox.Broker.Tests.BranchSteps;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Branches of distributed transactions that acknowledge records which a queue has read from a
/// stream.</summary>
public sealed class StreamBranchAckTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_prepared_branch_holds_its_records_until_it_ends(bool isCommit)
    {
        using Scene scene = new();
        Make(scene, 4);
        Prepare(scene, "1");
        Actor other = scene.Connect("other");
        other.Consume("orders");
        Assert.Equal(["0", "2", "3"], Values(other));
        End(scene, other, isCommit);
        Assert.Equal(isCommit ? ["0", "2", "3"] : ["0", "2", "3", "1"], Values(other));
        other.AcceptAll();
        Assert.Empty(Left(scene));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void It_holds_them_over_restarts(bool isCommit, bool isCrash)
    {
        using Scene scene = new();
        Make(scene, 4);
        Prepare(scene, "1", "3");
        Again(scene, isCrash);
        Assert.Equal(["0", "2"], Left(scene));
        Again(scene, isCrash);
        Actor actor = scene.Connect();
        Assert.Equal([Name], actor.Client.Xa.Recover());
        End(scene, actor, isCommit);
        Assert.Equal([(1UL, (BrokerException?)null)], actor.Discharged);
        Assert.Equal(isCommit ? ["0", "2"] : ["0", "1", "2", "3"], Left(scene));
        Again(scene, isCrash);
        Assert.Equal(isCommit ? ["0", "2"] : ["0", "1", "2", "3"], Left(scene));
        Assert.Empty(scene.Connect().Client.Xa.Recover());
    }

    /// <summary>A queue that reads a stream has loaded the first thousand records only.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void It_may_end_before_its_records_are_loaded_again(bool isCommit, bool isRejected)
    {
        const int Records = 1200;
        using Scene scene = new();
        Make(scene, Records);
        Actor first = scene.Connect();
        first.Consume("orders", credit: Records * 2);
        Assert.Equal(Records, first.Deliveries.Count);
        Prepare(scene, first, isRejected ? new Outcome(OutcomeKind.Rejected) : Outcome.Accepted, "1150");
        scene.Crash();
        Actor actor = scene.Connect();
        End(scene, actor, isCommit);
        actor.Consume("orders", credit: Records * 2);
        string[] got = Values(actor);
        Assert.Equal(isCommit ? Records - 1 : Records, got.Length);
        Assert.Equal(!isCommit, got.Contains("1150"));
        actor.AcceptAll();
        actor.Client.Dispose();
        scene.Settle();
        Assert.Empty(Left(scene));
        Actor undertaker = scene.Connect();
        undertaker.Queue("DLQ");
        undertaker.Consume("DLQ");
        Assert.Equal(isCommit && isRejected ? ["1150"] : [], Values(undertaker));
    }

    [Fact]
    public void It_holds_them_over_restarts_after_snapshots()
    {
        using Scene scene = new(options => options with { SegmentBytes = 64 << 10, SnapshotBytesMin = 32 << 10 });
        Make(scene, 3);
        Prepare(scene, "1");
        Churn(scene);
        Assert.Equal(["0", "2"], Left(scene));
        End(scene, scene.Connect(), isCommit: true);
        Assert.Equal(["0", "2"], Left(scene));
    }

    /// <summary>Power goes at each sync from the preparation on: the record is acknowledged and the message sent, or
    /// neither.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_or_neither_whatever_sync_the_power_goes_at(bool isUnsyncedThere)
    {
        var images = new CrashImages(isUnsyncedThere);
        using (Scene scene = new(options => options with { FileSystem = images.Disk }))
        {
            Make(scene, 2);
            Actor actor = scene.Connect();
            actor.Queue("out");
            actor.Consume("orders");
            Transaction transaction = actor.Client.Xa.Start(Name);
            actor.Send(actor.Producer("out"), "message", transaction: transaction);
            actor.Client.Settle(actor.Deliveries[0], Outcome.Accepted, 0, transaction);
            scene.Settle();
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
            if (actor.Client.Xa.Recover().Count > 0)
            {
                Assert.Equal(["1"], Left(scene));
                End(scene, actor, isCommit: true);
            }

            string left = string.Join(',', Left(scene));
            actor.Consume("out");
            string message = string.Join(',', actor.Take());
            Assert.True((left, message) is ("1", "message") or ("0,1", ""), $"{before}: '{left}' and '{message}'");
            Assert.True(before.Length == 0 || message.Length > 0, $"{before}, and yet nothing came of it");
        }

        Assert.Contains(images.All, image => image.Told == "prepared");
    }

    private static void Make(Scene scene, int records)
    {
        Partition partition = scene.Stream("s");
        scene.Append(
            partition, [.. Enumerable.Range(0, records).Select(i => i.ToString(CultureInfo.InvariantCulture))]);
        scene.Connect().Queue("orders", config => config with
        {
            Address = "s",
            Stream = "s",
            StreamStart = StreamStart.First,
        });
        scene.Settle();
    }

    private static void Prepare(Scene scene, params string[] values)
    {
        Actor actor = scene.Connect();
        actor.Consume("orders");
        Prepare(scene, actor, Outcome.Accepted, values);
    }

    // Its client is gone afterwards, with all that the branch does not hold.
    private static void Prepare(Scene scene, Actor actor, Outcome outcome, params string[] values)
    {
        Transaction transaction = actor.Client.Xa.Start(Name);
        foreach (string value in values)
        {
            actor.Client.Settle(actor.Deliveries.Single(one => Value(actor, one) == value), outcome, 0, transaction);
        }

        actor.Client.Xa.End(Name);
        Assert.True(actor.Client.Xa.Prepare(Name, 1));
        scene.Settle();
        Assert.Contains(1UL, actor.Settled);
        actor.Client.Dispose();
        scene.Actors.Remove(actor);
        scene.Settle();
    }

    // What a consumer would get now; it is given back.
    private static string[] Left(Scene scene)
    {
        Actor actor = scene.Connect("looks");
        Consumer consumer = actor.Consume("orders", 10_000);
        string[] values = Values(actor);
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        actor.Client.Dispose();
        scene.Actors.Remove(actor);
        scene.Settle();
        return values;
    }
}
