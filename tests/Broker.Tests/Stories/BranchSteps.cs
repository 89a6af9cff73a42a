using Pillarbox.Broker.Transactions.Xa;
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
