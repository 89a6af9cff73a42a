namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>
/// The members of a group of the <c>consumer</c> protocol, what each should have (the target) and what each has. A
/// partition has at most one owner at any time; the target moves it, its owner gives it up, then the next one gets it.
/// </summary>
internal sealed class ConsumerGroup
{
    private static readonly HashSet<TopicIdPartition> Nothing = [];
    private readonly Dictionary<string, ConsumerMember> _members = [];
    private readonly Dictionary<string, ConsumerMember> _instances = [];
    private readonly Dictionary<TopicIdPartition, string> _owners = [];

    /// <summary>What members take of memory.</summary>
    public MembersWeight Weight { get; } = new();

    /// <summary>Grows whenever members, subscriptions or topics change.</summary>
    public int Epoch { get; set; }

    /// <summary>The epoch that the target was made for.</summary>
    public int AssignmentEpoch { get; set; }

    /// <summary>When its last member went, in milliseconds since the Unix epoch; -1 = not known, or somebody is in it.
    /// </summary>
    public long EmptySinceMs { get; set; } = -1;

    public long AssignedMs { get; set; } = long.MinValue / 2;

    /// <summary>What the subscribed topics looked like at the last look.</summary>
    public long TopicsHash { get; set; }

    /// <summary>The version of all topics at the last look.</summary>
    public long TopicsVersion { get; set; } = -1;

    public Dictionary<string, HashSet<TopicIdPartition>> Target { get; } = [];

    public CoordinatorTimer? AssignTimer { get; set; }

    public IReadOnlyCollection<ConsumerMember> Members => _members.Values;

    public GroupChanges Changes { get; } = new();

    public string Assignor { get; set; } = Assignors.Uniform;

    public string State =>
        _members.Count == 0 ? "Empty"
        : Epoch > AssignmentEpoch ? "Assigning"
        : IsReconciled ? "Stable" : "Reconciling";

    /// <summary>Whether it is not known yet, since the start, what the expressions of some members find.</summary>
    public bool WaitsForUsers
    {
        get
        {
            foreach (ConsumerMember member in Members)
            {
                if (member is { Regex: not null, Access: null })
                {
                    return true;
                }
            }

            return false;
        }
    }

    public ConsumerMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    public ConsumerMember? FindInstance(string instanceId) => _instances.GetValueOrDefault(instanceId);

    public HashSet<TopicIdPartition> TargetOf(ConsumerMember member) => Target.GetValueOrDefault(member.Id, Nothing);

    public string? OwnerOf(TopicIdPartition partition) => _owners.GetValueOrDefault(partition);

    public void Add(ConsumerMember member)
    {
        _members.Add(member.Id, member);
        EmptySinceMs = -1;
        member.Weight.Enter(Weight);
        if (member.InstanceId is not null)
        {
            _instances[member.InstanceId] = member;
        }

        Take(member);
    }

    public void Remove(ConsumerMember member)
    {
        _members.Remove(member.Id);
        member.Weight.Leave();
        if (member.InstanceId is not null && _instances.GetValueOrDefault(member.InstanceId) == member)
        {
            _instances.Remove(member.InstanceId);
        }

        Release(member);
        Target.Remove(member.Id);
        Changes.Gone.Add(member.Id);
        TimerHeap.Cancel(member.Session);
        TimerHeap.Cancel(member.Revocation);
    }

    /// <summary>What a member has and gives up is taken from the one list of owners; <see cref="Take"/> puts it
    /// back.</summary>
    public void Release(ConsumerMember member)
    {
        foreach (TopicIdPartition partition in member.Assigned.Concat(member.Revoking))
        {
            if (_owners.GetValueOrDefault(partition) == member.Id)
            {
                _owners.Remove(partition);
            }
        }
    }

    public void Take(ConsumerMember member)
    {
        foreach (TopicIdPartition partition in member.Assigned.Concat(member.Revoking))
        {
            _owners[partition] = member.Id;
        }
    }

    public void Bump()
    {
        Epoch++;
        Changes.Epoch = true;
    }

    private bool IsReconciled
    {
        get
        {
            foreach (ConsumerMember member in Members)
            {
                if (!member.IsAway && (member.State != MemberState.Stable || member.Epoch != AssignmentEpoch))
                {
                    return false;
                }
            }

            return true;
        }
    }
}

/// <summary>What of a group is not yet written. It stays so when a write is refused, and goes with the next.</summary>
internal sealed class GroupChanges
{
    /// <summary>What has to be written before everything else.</summary>
    public List<CoordinatorRecord> First { get; } = [];

    public bool Epoch { get; set; }

    public bool Target { get; set; }

    /// <summary>Members whose target is another one.</summary>
    public HashSet<string> Targets { get; } = [];

    /// <summary>Members that are no more.</summary>
    public HashSet<string> Gone { get; } = [];

    public void Clear()
    {
        First.Clear();
        Epoch = false;
        Target = false;
        Targets.Clear();
        Gone.Clear();
    }
}
