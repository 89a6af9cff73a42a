using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Network;

/// <summary>A router of the simulated network: an engine, and what its operator did to it.</summary>
internal sealed class SimNode
{
    private long _instance;

    public SimNode(string id, long instance)
    {
        (Id, _instance) = (id, instance);
        Engine = Make();
    }

    public string Id { get; }

    public RouterEngine Engine { get; private set; }

    public RouterOutput Output { get; } = new();

    public bool IsAlive { get; set; } = true;

    /// <summary>Its addresses and their treatment: they outlive a restart, as consumers come back.</summary>
    public Dictionary<string, AddressTreatment> Addresses { get; } = new(StringComparer.Ordinal);

    /// <summary>When it is to be ticked; a timer set for another time is void.</summary>
    public long TimerMs { get; set; } = -1;

    /// <summary>What the differences add up to: has to be what the snapshot says.</summary>
    public Dictionary<string, UInt128> Followed { get; } = new(StringComparer.Ordinal);

    public List<RouterEvent> Events { get; } = [];

    public void Restart()
    {
        _instance++;
        Engine = Make();
        Followed.Clear();
        TimerMs = -1;
    }

    /// <summary>Drains the engine and checks that the differences lead from one snapshot to the next.</summary>
    public void Drain()
    {
        Engine.Drain(Output);
        foreach (AddressChange change in Output.Changes)
        {
            Assert.Equal(Followed.GetValueOrDefault(change.Key), change.Before);
            Assert.NotEqual(change.Before, change.After);
            Followed[change.Key] = change.After;
        }
        Events.AddRange(Output.Events);
    }

    private RouterEngine Make() => new(new RouterOptions { Id = Id, Instance = _instance });
}
