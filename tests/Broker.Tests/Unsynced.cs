using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests;

/// <summary>A crash after which all that was not synced is there, or nothing of it.</summary>
internal sealed class Unsynced(bool isThere) : ICrashChoice
{
    public int ChooseEntries(int changes) => isThere ? changes : 0;

    public bool ChooseChange(int index, int count) => isThere;

    public bool ChooseSector(int index, int count) => isThere;
}
