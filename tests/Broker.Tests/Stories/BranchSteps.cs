using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests;

/// <summary>The steps that stories of branches over streams share.</summary>
internal static class BranchSteps
{
    /// <summary>The branch that they are about.</summary>
    public static readonly Xid Name = new(1, "global"u8, "branch"u8);

    public static void End(Scene scene, Actor actor, bool isCommit)
    {
        _ = isCommit ? actor.Client.Xa.Commit(Name, onePhase: false, 1) : actor.Client.Xa.Rollback(Name, 1);
        scene.Settle();
        scene.Advance(1000);
    }

    public static void Again(Scene scene, bool isCrash)
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

    /// <summary>Enough goes through another queue, and the node restarts, that snapshots take the journal's place.
    /// </summary>
    public static void Churn(Scene scene)
    {
        for (int round = 0; round < 5; round++)
        {
            Actor churn = scene.Connect("churn");
            churn.Send("churn", [.. Enumerable.Range(0, 100).Select(i => new string('x', 500))]);
            churn.Consume("churn", credit: 1000);
            churn.AcceptAll();
            scene.Advance(1000);
            scene.Restart();
        }
    }

    /// <summary>What the record has that a delivery brings.</summary>
    public static string Value(Actor actor, in Delivery delivery)
    {
        using MessageLease lease = actor.Read(delivery);
        Assert.True(StreamRecord.TryParse(lease.Payload.Span, out StreamRecord record));
        return Encoding.UTF8.GetString(record.Value);
    }
}

/// <summary>A crash after which all that was not synced is there, or nothing of it.</summary>
internal sealed class Unsynced(bool isThere) : ICrashChoice
{
    public int ChooseEntries(int changes) => isThere ? changes : 0;

    public bool ChooseChange(int index, int count) => isThere;

    public bool ChooseSector(int index, int count) => isThere;
}

/// <summary>What is on the disk at every sync from a moment on, when the power goes then; and what was told before.
/// </summary>
internal sealed class CrashImages(bool isUnsyncedThere)
{
    private readonly List<(string Told, MemoryFileSystem Image)> _images = [];

    public RecordingFileSystem Disk { get; } = new();

    /// <summary>What a client has heard by now.</summary>
    public string Told { get; set; } = "";

    public IReadOnlyList<(string Told, MemoryFileSystem Image)> All => _images;

    public void Begin() =>
        Disk.Syncing = () => _images.Add((Told, Disk.MakeCrashImage(new Unsynced(isUnsyncedThere))));
}
