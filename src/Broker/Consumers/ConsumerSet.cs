namespace Pillarbox.Broker.Consumers;

/// <summary>A queue's consumers: groups of equal priority, highest first, each taking turns. The shard's.</summary>
internal sealed class ConsumerSet
{
    private readonly List<ConsumerGroup> _groups = [];

    public int Count { get; private set; }

    public IReadOnlyList<ConsumerGroup> Groups => _groups;

    /// <summary>Those that do not take whatever comes.</summary>
    public List<Consumer> Choosers { get; } = [];

    /// <summary>The one that gets everything while it is there; null: they share.</summary>
    public Consumer? Sole { get; private set; }

    /// <summary>Whether a consumer may have messages now.</summary>
    public bool Admits(Consumer consumer) => Sole is null || Sole == consumer || consumer.Browses;

    public IEnumerable<Consumer> All => _groups.SelectMany(group => group.Members);

    /// <summary>Whether a consumer that takes messages has credit.</summary>
    public bool HasCredit
    {
        get
        {
            foreach (ConsumerGroup group in _groups)
            {
                foreach (Consumer consumer in group.Waiting)
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

        if (consumer.Options.TakesAll && !(Sole?.Options.Priority >= consumer.Options.Priority))
        {
            Sole = consumer;
        }

        _groups[at].Members.Add(consumer);
        Count++;
        if (consumer.Filter is not null)
        {
            Choosers.Add(consumer);
        }
    }

    /// <summary>A consumer has credit from now on.</summary>
    public void Await(Consumer consumer)
    {
        if (!consumer.IsWaiting && !consumer.IsGone)
        {
            _groups.Find(group => group.Priority == consumer.Options.Priority)?.Await(consumer);
        }
    }

    public bool Remove(Consumer consumer)
    {
        ConsumerGroup? group = _groups.Find(g => g.Members.Remove(consumer));
        if (group is null)
        {
            return false;
        }

        Count--;
        Choosers.Remove(consumer);
        group.Forget(consumer);
        if (group.Members.Count == 0)
        {
            _groups.Remove(group);
        }

        if (Sole == consumer)
        {
            Sole = All.FirstOrDefault(other => other.Options.TakesAll);
        }

        return true;
    }
}

/// <summary>Consumers of one priority. Only those with credit have turns: many idle ones cost nothing.</summary>
internal sealed class ConsumerGroup(int priority)
{
    private Queue<Consumer> _waiting = new();

    public int Priority { get; } = priority;

    public List<Consumer> Members { get; } = [];

    /// <summary>Those with credit, whose turn it is first; some may have lost it since.</summary>
    public Queue<Consumer> Waiting => _waiting;

    /// <summary>Lets it have turns.</summary>
    public void Await(Consumer consumer)
    {
        consumer.IsWaiting = true;
        _waiting.Enqueue(consumer);
    }

    /// <summary>Whose turn it is; one with credit is to be put back by <see cref="Await"/>. Null: nobody has any.
    /// </summary>
    public Consumer? Next()
    {
        while (_waiting.TryDequeue(out Consumer? consumer))
        {
            consumer.IsWaiting = false;
            if (consumer.Credit > 0)
            {
                return consumer;
            }
        }

        return null;
    }

    /// <summary>It has gone.</summary>
    public void Forget(Consumer consumer)
    {
        if (consumer.IsWaiting)
        {
            consumer.IsWaiting = false;
            _waiting = new Queue<Consumer>(_waiting.Where(other => other != consumer));
        }
    }
}
