namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>What others may know of one connection: itself, its consumers, producers and temporary destinations. Used
/// by the connection's loop alone.</summary>
internal sealed class ConnectionFacts(AdvisoryHub hub)
{
    private readonly List<AdvisoryFact> _facts = [];

    /// <summary>It is so from now on.</summary>
    public void Tell(AdvisoryFact fact)
    {
        _facts.Add(fact);
        hub.Add(fact);
    }

    /// <summary>They are so no longer.</summary>
    public void Untell(IEnumerable<AdvisoryFact> facts)
    {
        foreach (AdvisoryFact fact in facts)
        {
            _facts.Remove(fact);
            hub.Remove(fact);
        }
    }

    /// <summary>The connection is over: nothing of it is so any longer.</summary>
    public void Clear()
    {
        foreach (AdvisoryFact fact in _facts)
        {
            hub.Remove(fact);
        }

        _facts.Clear();
    }
}
