using Pillarbox.Model;

namespace Pillarbox.Storage.Tests.Crash;

/// <summary>What a power cut does to what was not synced.</summary>
internal enum CrashKind
{
    /// <summary>All of it is lost.</summary>
    None,

    /// <summary>All of it is there.</summary>
    All,

    /// <summary>Of each file, and of the directory entries, the first changes are there.</summary>
    Prefix,

    /// <summary>All is there but one sector of each write.</summary>
    Torn,

    /// <summary>Any of it is there, sector by sector.</summary>
    Subset,
}

internal sealed class CrashChoice(CrashKind kind, SeededRandom random) : ICrashChoice
{
    private int _cut;

    public int ChooseEntries(int changes) => kind switch
    {
        CrashKind.None => 0,
        CrashKind.All or CrashKind.Torn => changes,
        _ => random.Next(changes + 1),
    };

    public bool ChooseChange(int index, int count)
    {
        _cut = index == 0 ? random.Next(count + 1) : _cut;
        return kind switch
        {
            CrashKind.None => false,
            CrashKind.All or CrashKind.Torn => true,
            CrashKind.Prefix => index < _cut,
            _ => random.Next(2) == 0,
        };
    }

    private int _torn;

    public bool ChooseSector(int index, int count)
    {
        _torn = index == 0 ? random.Next(count) : _torn;
        return kind switch
        {
            CrashKind.Torn => index != _torn,
            CrashKind.Subset => random.Next(3) != 0,
            _ => true,
        };
    }
}
