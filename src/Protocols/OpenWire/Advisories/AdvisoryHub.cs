using Pillarbox.Broker.Routing;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>Something that is there: a connection, a consumer, a producer, a temporary destination.</summary>
/// <param name="Space">The address space; nobody of another one hears of it.</param>
/// <param name="Topic">The advisory topic that tells of it.</param>
/// <param name="Key">What it is known by.</param>
/// <param name="Owner">The connection that it belongs to.</param>
internal sealed record AdvisoryFact(string Space, string Topic, IDataStructure Key, object Owner)
{
    /// <summary>What is told while it is there.</summary>
    public required Command Added { get; init; }

    /// <summary>What is told when it has gone.</summary>
    public required Command Removed { get; init; }
}

/// <summary>One telling of a fact to one listener.</summary>
/// <param name="Listener">Who hears it.</param>
/// <param name="Topic">The topic that the fact belongs to.</param>
/// <param name="Command">What is told.</param>
/// <param name="Count">How many facts of the topic there are now.</param>
internal readonly record struct Advisory(AdvisoryListener Listener, string Topic, Command Command, int Count);

/// <summary>Who hears advisories. Any thread.</summary>
internal interface IAdvisorySink
{
    void Tell(in Advisory advisory);
}

/// <summary>A consumer of advisory topics.</summary>
internal sealed record AdvisoryListener(
    string Space, IReadOnlyList<string> Patterns, IAdvisorySink Sink, bool NoLocal, object Consumer)
{
    public bool Hears(AdvisoryFact fact) => fact.Space == Space && !(NoLocal && fact.Owner == Sink)
        && Hears(fact.Topic);

    public bool Hears(string topic) => Patterns.Any(pattern => AddressPattern.Matches(pattern, topic));
}

/// <summary>
/// Who is there, and who wants to know. A new listener is told what is there already; then everybody is told of changes
/// in one order. Thread-safe.
/// </summary>
internal sealed class AdvisoryHub
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Space, string Topic, IDataStructure Key), AdvisoryFact> _facts = [];
    private readonly Dictionary<(string Space, string Topic), int> _counts = [];
    private readonly List<AdvisoryListener> _listeners = [];

    public void Add(AdvisoryFact fact)
    {
        lock (_lock)
        {
            if (_facts.TryAdd((fact.Space, fact.Topic, fact.Key), fact))
            {
                Tell(fact, fact.Added, change: 1);
            }
        }
    }

    public void Remove(AdvisoryFact fact)
    {
        lock (_lock)
        {
            if (_facts.Remove((fact.Space, fact.Topic, fact.Key)))
            {
                Tell(fact, fact.Removed, change: -1);
            }
        }
    }

    /// <summary>Whether a temporary destination is there.</summary>
    public bool IsThere(string space, Destination temporary)
    {
        lock (_lock)
        {
            return _facts.ContainsKey((space, AdvisoryTopics.OfTemporary(temporary), temporary));
        }
    }

    public void Subscribe(AdvisoryListener listener)
    {
        lock (_lock)
        {
            _listeners.Add(listener);
            foreach (AdvisoryFact fact in _facts.Values)
            {
                if (listener.Hears(fact))
                {
                    int count = _counts[(fact.Space, fact.Topic)];
                    listener.Sink.Tell(new Advisory(listener, fact.Topic, fact.Added, count));
                }
            }
        }
    }

    public void Unsubscribe(AdvisoryListener listener)
    {
        lock (_lock)
        {
            _listeners.Remove(listener);
        }
    }

    private void Tell(AdvisoryFact fact, Command command, int change)
    {
        int count = _counts.GetValueOrDefault((fact.Space, fact.Topic)) + change;
        if (count == 0)
        {
            _counts.Remove((fact.Space, fact.Topic));
        }
        else
        {
            _counts[(fact.Space, fact.Topic)] = count;
        }

        foreach (AdvisoryListener listener in _listeners)
        {
            if (listener.Hears(fact))
            {
                listener.Sink.Tell(new Advisory(listener, fact.Topic, command, count));
            }
        }
    }
}
