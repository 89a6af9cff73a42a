using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Simulation;

/// <summary>A power cut that leaves nothing, everything, the first part or any part of what was not synced, by the
/// seed.</summary>
internal sealed class SeededCrash(SeededRandom random) : ICrashChoice
{
    private readonly int _kind = random.Next(4);
    private int _cut;

    public int ChooseEntries(int changes) => _kind switch
    {
        0 => 0,
        1 => changes,
        _ => random.Next(changes + 1),
    };

    public bool ChooseChange(int index, int count)
    {
        _cut = index == 0 ? random.Next(count + 1) : _cut;
        return _kind switch
        {
            0 => false,
            1 => true,
            2 => index < _cut,
            _ => random.Next(2) == 0,
        };
    }

    public bool ChooseSector(int index, int count) => _kind != 3 || random.Next(3) != 0;
}
