namespace Pillarbox.Broker.Consumers;

/// <summary>A queue's consumers: groups of equal priority, highest first, each taking turns. The shard's.</summary>
internal sealed class ConsumerSet
{
    private readonly List<ConsumerGroup> _groups = [];

    public int Count { get; private set; }

    public IReadOnlyList<ConsumerGroup> Groups => _groups;

    public IEnumerable<Consumer> All => _groups.SelectMany(group => group.Members);

    /// <summary>Whether a consumer that takes messages has credit.</summary>
    public bool HasCredit
    {
        get
        {
            foreach (ConsumerGroup group in _groups)
            {
                foreach (Consumer consumer in group.Members)
                {
                    if (consumer.Credit > 0 && !consumer.Browses)
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    public void Add(Consumer consumer)
    {
        int at = 0;
        while (at < _groups.Count && _groups[at].Priority > consumer.Options.Priority)
        {
            at++;
        }

        if (at == _groups.Count || _groups[at].Priority != consumer.Options.Priority)
        {
            _groups.Insert(at, new ConsumerGroup(consumer.Options.Priority));
        }

        _groups[at].Members.Add(consumer);
        Count++;
    }

    public bool Remove(Consumer consumer)
    {
        ConsumerGroup? group = _groups.Find(g => g.Members.Remove(consumer));
        if (group is null)
        {
            return false;
        }

        Count--;
        if (group.Members.Count == 0)
        {
            _groups.Remove(group);
        }

        return true;
    }
}

/// <summary>Consumers of one priority.</summary>
internal sealed class ConsumerGroup(int priority)
{
    private int _turn;

    public int Priority { get; } = priority;

    public List<Consumer> Members { get; } = [];

    /// <summary>Whose turn it is.</summary>
    public Consumer Next()
    {
        _turn = _turn >= Members.Count ? 0 : _turn;
        return Members[_turn++];
    }
}
