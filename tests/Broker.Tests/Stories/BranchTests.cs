using Pillarbox.Broker.Management;
using Pillarbox.Broker.Transactions;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests;

/// <summary>Branches of distributed transactions: prepared, ended, recovered, ended by an operator.</summary>
public sealed class BranchTests
{
    private static readonly Xid Name = new(1, "global"u8, "branch"u8);

    private static readonly XaOwner Somebody = new("default", "somebody", "client");

    [Fact]
    public void A_prepared_branch_shows_nothing_and_holds_what_it_acknowledges()
    {
        using Scene scene = new();
        Actor actor = Prepare(scene);
        actor.Client.Dispose();
        scene.Actors.Clear();
        Assert.Equal(("", ""), Look(scene));
        Actor other = scene.Connect("other");
        Assert.Equal([Name], other.Client.Xa.Recover());
        other.Client.Xa.Commit(Name, onePhase: false, 5);
        scene.Settle();
        Assert.Equal([(5UL, (BrokerException?)null)], other.Discharged);
        Assert.Empty(other.Client.Xa.Recover());
        Assert.Equal(("", "result"), Look(scene));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void It_survives_a_restart(bool isCommit, bool isCrash)
    {
        using Scene scene = new();
        Prepare(scene);
        Again(scene, isCrash);
        Assert.Equal(("", ""), Look(scene));
        Actor actor = scene.Connect();
        Assert.Equal([Name], actor.Client.Xa.Recover());
        End(scene, actor, isCommit);
        Assert.Equal(isCommit ? ("", "result") : ("work", ""), Look(scene));
        Again(scene, isCrash);
        Assert.Empty(scene.Connect().Client.Xa.Recover());
    }

    [Fact]
    public void What_is_delayed_stays_delayed_over_a_restart_before_the_commit()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Transaction transaction = actor.Client.Xa.Start(Name);
        long dueMs = scene.Clock.NowMs + 5000;
        actor.Send(
            actor.Producer("out"), "late", header => header with { DeliverAtMs = dueMs }, transaction: transaction);
        actor.Client.Xa.End(Name);
        Assert.True(actor.Client.Xa.Prepare(Name, 1));
        scene.Settle();
        scene.Crash();
        Actor again = scene.Connect();
        again.Client.Xa.Recover();
        End(scene, again, isCommit: true);
        Assert.Equal("", Look(scene, "out"));
        scene.Advance(6000);
        Assert.Equal("late", Look(scene, "out"));
    }

    [Fact]
    public void It_survives_restarts_after_snapshots()
    {
        using Scene scene = new(options => options with { SegmentBytes = 64 << 10, SnapshotBytesMin = 32 << 10 });
        Prepare(scene);
        for (int round = 0; round < 5; round++)
        {
            Actor actor = scene.Connect("churn");
            actor.Send("churn", [.. Enumerable.Range(0, 100).Select(i => new string('x', 500))]);
            actor.Consume("churn", credit: 1000);
            actor.AcceptAll();
            scene.Advance(1000);
            scene.Restart();
        }

        Actor last = scene.Connect();
        Assert.Equal([Name], last.Client.Xa.Recover());
        End(scene, last, isCommit: true);
        Assert.Equal(("", "result"), Look(scene));
    }

    [Fact]
    public void One_phase_needs_no_preparation_and_nothing_to_do_is_read_only()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Transaction transaction = actor.Client.Xa.Start(Name);
        actor.Send(actor.Producer("out"), "result", transaction: transaction);
        actor.Client.Xa.End(Name);
        actor.Client.Xa.Commit(Name, onePhase: true, 1);
        scene.Settle();
        Assert.Equal(("", "result"), Look(scene));
        actor.Client.Xa.Start(Name);
        actor.Client.Xa.End(Name);
        Assert.False(actor.Client.Xa.Prepare(Name, 2));
        Refused(XaCode.Unknown, () => actor.Client.Xa.Commit(Name, onePhase: false, 3));
    }

    [Fact]
    public void What_has_no_place_has_its_code()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Actor other = scene.Connect("other");
        XaSteps steps = actor.Client.Xa;
        Refused(XaCode.Unknown, () => steps.End(Name));
        Refused(XaCode.Unknown, () => steps.Prepare(Name, 1));
        Refused(XaCode.Unknown, () => steps.Rollback(Name, 1));
        Refused(XaCode.Unknown, () => steps.Forget(Name, 1));
        Transaction transaction = steps.Start(Name);
        actor.Send(actor.Producer("out"), "result", transaction: transaction);
        Refused(XaCode.Duplicate, () => other.Client.Xa.Start(Name));
        Refused(XaCode.Protocol, () => other.Client.Xa.End(Name));
        Refused(XaCode.Protocol, () => steps.Prepare(Name, 1));
        Refused(XaCode.Protocol, () => steps.Commit(Name, onePhase: true, 1));
        steps.End(Name);
        Refused(XaCode.Protocol, () => steps.Commit(Name, onePhase: false, 1));
        Assert.True(steps.Prepare(Name, 1));
        Refused(XaCode.Protocol, () => steps.Commit(Name, onePhase: true, 1));
        Refused(XaCode.Duplicate, () => steps.Start(Name));
        Assert.Throws<XaException>(() => new Xid(1, [], []));
    }

    [Fact]
    public void Another_user_neither_sees_nor_ends_it()
    {
        using Scene scene = new();
        Prepare(scene);
        Actor other = scene.Connect("other", who: new Identity("mallory", [], IsAnonymous: false));
        Assert.Empty(other.Client.Xa.Recover());
        Refused(XaCode.Unknown, () => other.Client.Xa.Commit(Name, onePhase: false, 1));
        Refused(XaCode.Unknown, () => other.Client.Xa.Rollback(Name, 1));
    }

    [Fact]
    public void A_branch_that_is_not_prepared_goes_with_its_connection()
    {
        using Scene scene = new();
        Actor actor = Work(scene);
        actor.Client.Xa.End(Name);
        scene.Settle();
        actor.Client.Dispose();
        scene.Actors.Clear();
        Assert.Equal(("work", ""), Look(scene));
        Assert.NotNull(scene.Connect("other").Client.Xa.Start(Name));
    }

    [Fact]
    public void One_that_takes_too_long_is_rolled_back_and_its_owner_hears_of_it_once()
    {
        using Scene scene = new();
        Actor actor = Work(scene);
        scene.Advance(400_000);
        for (int i = 0; i < 10; i++)
        {
            scene.Advance(100);
        }

        Refused(XaCode.RolledBackByTimeout, () => actor.Client.Xa.End(Name));
        Refused(XaCode.Unknown, () => actor.Client.Xa.End(Name));
        actor.Client.Dispose();
        scene.Actors.Clear();
        Assert.Equal(("work", ""), Look(scene));
    }

    [Fact]
    public void One_whose_owner_hears_that_it_took_too_long_is_still_to_be_rolled_back()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        (XaTable table, XaBranch branch) = Begun(actor);
        Assert.Equal([actor.Client], table.MarkTimedOut(startedBeforeMs: 1));
        Refused(XaCode.RolledBackByTimeout, () => table.FindOwn(actor.Client, Name));
        Refused(XaCode.Unknown, () => table.FindOwn(actor.Client, Name));
        Assert.Equal([branch], table.TimedOutOf(actor.Client));
        Assert.Empty(table.TimedOutOf(actor.Client));
    }

    [Fact]
    public void One_that_is_being_written_is_nobody_elses_to_end()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        (XaTable table, XaBranch branch) = Begun(actor);
        table.End(actor.Client, Name);
        Assert.True(table.TryBeginWrite(branch));
        Refused(XaCode.Protocol, () => table.Take(Name, Somebody));
        Assert.Empty(table.Recover(Somebody));
        table.EndWrite(branch);
        Assert.Equal([Name], table.Recover(Somebody));
        Assert.Equal(branch, table.Take(Name, Somebody));
    }

    [Fact]
    public void Operators_decide_no_more_than_is_remembered()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        (XaTable table, XaBranch branch) = Begun(actor);
        Assert.True(table.TryBeginWrite(branch));
        table.EndWrite(branch);
        for (int i = 0; i < 10_000; i++)
        {
            table.Recover(new XaHeuristic(new Xid(1, BitConverter.GetBytes(i), "b"u8), true, 0, Somebody));
        }

        Refused(XaCode.ResourceError, () => table.Take(Name, null));
        table.Forget(new Xid(1, BitConverter.GetBytes(5), "b"u8));
        table.PutBack(table.Take(Name, null));
        table.Remove(table.Take(Name, null), isCommit: true, 0);
        Refused(XaCode.HeuristicCommit, () => table.Take(Name, Somebody));
    }

    [Fact]
    public void A_prepared_one_waits_for_ever()
    {
        using Scene scene = new();
        Prepare(scene);
        scene.Advance(10_000_000);
        Assert.Equal([Name], scene.Connect("other").Client.Xa.Recover());
    }

    [Fact]
    public void Failed_work_cannot_be_prepared()
    {
        using Scene scene = new();
        Actor actor = Work(scene);
        scene.Settle();
        actor.Client.Xa.Find(Name).Fail(new BrokerException(BrokerError.ResourceLimitExceeded, "too much"));
        actor.Client.Xa.End(Name);
        Refused(XaCode.RolledBack, () => actor.Client.Xa.Prepare(Name, 1));
        Refused(XaCode.Unknown, () => actor.Client.Xa.Prepare(Name, 1));
    }

    [Theory]
    [InlineData(true, XaCode.HeuristicCommit)]
    [InlineData(false, XaCode.HeuristicRollback)]
    public async Task An_operators_decision_is_remembered_until_it_is_forgotten(bool isCommit, XaCode code)
    {
        using Scene scene = new();
        Prepare(scene);
        TransactionManagement operators = scene.Broker.Management.Transactions;
        TransactionView view = Assert.Single(operators.List(Identity.Node));
        Assert.Equal(("prepared", 1, 1), (view.State, view.Messages, view.Acknowledgements));
        await (isCommit
            ? operators.CommitAsync(Identity.Node, view.Xid)
            : operators.RollbackAsync(Identity.Node, view.Xid));
        scene.Settle();
        scene.Crash();
        Actor actor = scene.Connect();
        Assert.Equal([Name], actor.Client.Xa.Recover());
        Refused(code, () => actor.Client.Xa.Commit(Name, onePhase: false, 1));
        Refused(code, () => actor.Client.Xa.Rollback(Name, 1));
        Refused(XaCode.Duplicate, () => actor.Client.Xa.Start(Name));
        Assert.Equal(isCommit ? ("", "result") : ("work", ""), Look(scene));
        actor.Client.Xa.Forget(Name, 7);
        scene.Settle();
        scene.Crash();
        Assert.Empty(scene.Connect().Client.Xa.Recover());
    }

    [Fact]
    public async Task What_an_operator_cannot_do_is_refused()
    {
        using Scene scene = new();
        TransactionManagement operators = scene.Broker.Management.Transactions;
        BrokerException unknown = await Assert.ThrowsAsync<BrokerException>(
            () => operators.CommitAsync(Identity.Node, Name.ToString()));
        Assert.Equal(BrokerError.NotFound, unknown.Error);
        BrokerException nonsense = await Assert.ThrowsAsync<BrokerException>(
            () => operators.ForgetAsync(Identity.Node, "nonsense"));
        Assert.Equal(BrokerError.InvalidField, nonsense.Error);
    }

    [Fact]
    public void Names_are_read_as_they_are_written()
    {
        Xid name = new(-5, [0, 255], [1]);
        Assert.Equal(name, Xid.Parse(name.ToString()));
        Assert.Null(Xid.Parse("x-y-z"));
        Assert.Null(Xid.Parse(""));
    }

    [Fact]
    public void Both_or_neither_whatever_sync_the_power_goes_at()
    {
        RecordingFileSystem disk = new();
        string told = "";
        var images = new List<(string Told, MemoryFileSystem Image)>();
        disk.Syncing = () => images.Add((told, disk.MakeCrashImage(new Unsynced(false))));
        using (Scene scene = new(options => options with { FileSystem = disk }))
        {
            Actor actor = Work(scene);
            told = "stored";
            actor.Client.Xa.End(Name);
            actor.Client.Xa.Prepare(Name, 1);
            scene.Settle();
            told = "prepared";
            actor.Client.Xa.Commit(Name, onePhase: false, 2);
            scene.Settle();
            told = "committed";
        }

        foreach ((string before, MemoryFileSystem image) in images.Where(i => i.Told.Length > 0))
        {
            using Scene scene = new(files: image);
            Actor actor = scene.Connect();
            bool inDoubt = actor.Client.Xa.Recover().Count > 0;
            if (inDoubt)
            {
                End(scene, actor, isCommit: true);
            }

            (string work, string result) = Look(scene);
            Assert.True((work, result) is ("work", "") or ("", "result"), $"{before}: '{work}' and '{result}'");
            Assert.True(before == "stored" || result == "result", $"{before}, and yet nothing came of it");
        }

        Assert.Contains(images, image => image.Told == "prepared");
    }

    private static Actor Work(Scene scene)
    {
        Actor actor = scene.Connect();
        actor.Send("in", "work");
        actor.Consume("in");
        Transaction transaction = actor.Client.Xa.Start(Name);
        actor.Client.Settle(Assert.Single(actor.Deliveries), Outcome.Accepted, transaction: transaction);
        actor.Deliveries.Clear();
        actor.Send(actor.Producer("out"), "result", transaction: transaction);
        return actor;
    }

    private static Actor Prepare(Scene scene)
    {
        Actor actor = Work(scene);
        actor.Client.Xa.End(Name);
        Assert.True(actor.Client.Xa.Prepare(Name, 1));
        scene.Settle();
        return actor;
    }

    private static void End(Scene scene, Actor actor, bool isCommit)
    {
        _ = isCommit ? actor.Client.Xa.Commit(Name, onePhase: false, 1) : actor.Client.Xa.Rollback(Name, 1);
        scene.Settle();
    }

    private static void Again(Scene scene, bool isCrash)
    {
        if (isCrash)
        {
            scene.Crash();
        }
        else
        {
            scene.Restart();
        }
    }

    // What each of the two queues delivers; it stays there.
    private static (string In, string Out) Look(Scene scene) => (Look(scene, "in"), Look(scene, "out"));

    private static string Look(Scene scene, string queue)
    {
        Actor actor = scene.Connect("looks." + queue);
        try
        {
            actor.Consume(actor.Client.ResolveQueue(new AddressName(queue, null), null));
            return string.Join(',', actor.Take());
        }
        finally
        {
            actor.Client.Dispose();
            scene.Actors.Remove(actor);
            scene.Settle();
        }
    }

    // A table of its own, with one branch of the actor's.
    private static (XaTable Table, XaBranch Branch) Begun(Actor actor)
    {
        XaTable table = new();
        return (table, table.Start(actor.Client, Name, Somebody, 0, actor.Client.Begin));
    }

    private static void Refused(XaCode code, Action step) => Assert.Equal(code, Assert.Throws<XaException>(step).Code);
}
