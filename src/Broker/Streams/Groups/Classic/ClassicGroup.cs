namespace Pillarbox.Broker.Streams.Groups.Classic;

/// <summary>Where a classic group is between two assignments.</summary>
internal enum ClassicState : byte
{
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Dead,
}

/// <summary>One member of a classic group.</summary>
internal sealed class ClassicMember
{
    private string _id;
    private GroupClient _client;
    private IReadOnlyList<MemberProtocol> _protocols = [];
    private byte[] _assignment = [];

    public ClassicMember(string id, string? instanceId, GroupClient client)
    {
        InstanceId = instanceId;
        _client = client;
        _id = id;
        Weigh();
    }

    /// <summary>What it takes of memory.</summary>
    public MemberWeight Weight { get; } = new();

    public string Id
    {
        get => _id;
        set
        {
            _id = value;
            Weigh();
        }
    }

    public string? InstanceId { get; }

    public GroupClient Client
    {
        get => _client;
        set
        {
            _client = value;
            Weigh();
        }
    }

    public int SessionTimeoutMs { get; set; }

    public int RebalanceTimeoutMs { get; set; }

    public IReadOnlyList<MemberProtocol> Protocols
    {
        get => _protocols;
        set
        {
            _protocols = value;
            Weigh();
        }
    }

    public byte[] Assignment
    {
        get => _assignment;
        set
        {
            _assignment = value;
            Weigh();
        }
    }

    public Action<JoinResult>? AwaitingJoin { get; set; }

    public Action<SyncResult>? AwaitingSync { get; set; }

    /// <summary>Whether it has not yet been in any generation.</summary>
    public bool IsNew { get; set; }

    public CoordinatorTimer? Session { get; set; }

    private void Weigh() => Weight.Set(
        MemberWeight.OfNames(Id, InstanceId, Client) + MemberWeight.Of(Protocols) + MemberWeight.Of(Assignment));

    public byte[] MetadataOf(string? protocol)
    {
        foreach (MemberProtocol each in Protocols)
        {
            if (each.Name == protocol)
            {
                return each.Metadata;
            }
        }

        return [];
    }

    /// <summary>Whether the protocols are the ones that it named before, with the same metadata.</summary>
    public bool Matches(IReadOnlyList<MemberProtocol> protocols)
    {
        if (protocols.Count != Protocols.Count)
        {
            return false;
        }

        for (int i = 0; i < protocols.Count; i++)
        {
            if (protocols[i].Name != Protocols[i].Name
                || !protocols[i].Metadata.AsSpan().SequenceEqual(Protocols[i].Metadata))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>The members and the generation of a classic group; the rules are elsewhere.</summary>
internal sealed class ClassicGroup
{
    private readonly Dictionary<string, ClassicMember> _members = [];
    private readonly Dictionary<string, ClassicMember> _instances = [];
    private readonly Dictionary<string, CoordinatorTimer> _pending = [];

    public ClassicState State { get; set; } = ClassicState.Empty;

    /// <summary>When it came into its state, in milliseconds since the Unix epoch.</summary>
    public long StateSinceMs { get; set; } = -1;

    public int Generation { get; set; }

    public string? ProtocolType { get; set; }

    public string? Protocol { get; set; }

    public string? LeaderId { get; set; }

    public IReadOnlyCollection<ClassicMember> Members => _members.Values;

    /// <summary>What members and their ids take of memory.</summary>
    public MembersWeight Weight { get; } = new();

    /// <summary>How many got an id and have not come back with it.</summary>
    public int PendingCount => _pending.Count;

    /// <summary>Members of this generation that did not yet ask for their assignment.</summary>
    public HashSet<string> PendingSync { get; } = [];

    public CoordinatorTimer? JoinTimer { get; set; }

    public CoordinatorTimer? SyncTimer { get; set; }

    /// <summary>Time that a first rebalance may still be put off; -1 = it is no first one.</summary>
    public int DelayLeftMs { get; set; } = -1;

    /// <summary>Whether somebody joined since the first rebalance was last put off.</summary>
    public bool GrewInDelay { get; set; }

    public bool Is(ClassicState state) => State == state;

    public ClassicMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    public ClassicMember? FindInstance(string instanceId) => _instances.GetValueOrDefault(instanceId);

    /// <summary>Whether somebody got this id and has not come back with it.</summary>
    public bool IsPending(string memberId) => _pending.ContainsKey(memberId);

    /// <summary>Somebody got an id, and has until a timer goes off to come back with it.</summary>
    public void AddPending(string memberId, CoordinatorTimer timer)
    {
        _pending.Add(memberId, timer);
        Weight.Add(PendingBytes(memberId));
    }

    /// <summary>Somebody came back with its id, or will not; false when nobody has it.</summary>
    public bool RemovePending(string memberId)
    {
        if (!_pending.Remove(memberId, out CoordinatorTimer? timer))
        {
            return false;
        }

        TimerHeap.Cancel(timer);
        Weight.Add(-PendingBytes(memberId));
        return true;
    }

    private static long PendingBytes(string memberId) => MemberWeight.MemberBytes + MemberWeight.Of(memberId);

    public void Add(ClassicMember member)
    {
        _members.Add(member.Id, member);
        member.Weight.Enter(Weight);
        if (member.InstanceId is not null)
        {
            _instances.Add(member.InstanceId, member);
        }

        ProtocolType ??= "";
        LeaderId ??= member.Id;
    }

    public void Remove(ClassicMember member)
    {
        _members.Remove(member.Id);
        member.Weight.Leave();
        PendingSync.Remove(member.Id);
        if (member.InstanceId is not null)
        {
            _instances.Remove(member.InstanceId);
        }

        if (LeaderId == member.Id)
        {
            LeaderId = Members.FirstOrDefault()?.Id;
        }
    }

    /// <summary>A static member gets a new id and keeps everything else.</summary>
    public void Rename(ClassicMember member, string newId)
    {
        _members.Remove(member.Id);
        if (PendingSync.Remove(member.Id))
        {
            PendingSync.Add(newId);
        }

        if (LeaderId == member.Id)
        {
            LeaderId = newId;
        }

        member.Id = newId;
        _members.Add(newId, member);
    }

    public int CountAwaitingJoin()
    {
        int count = 0;
        foreach (ClassicMember member in Members)
        {
            count += member.AwaitingJoin is null ? 0 : 1;
        }

        return count;
    }

    public int RebalanceTimeoutMs
    {
        get
        {
            int longest = 0;
            foreach (ClassicMember member in Members)
            {
                longest = Math.Max(longest, member.RebalanceTimeoutMs);
            }

            return longest;
        }
    }

    /// <summary>Whether somebody with these protocols could be a member: of the same type, with one that all
    /// know.</summary>
    public bool Supports(string protocolType, IReadOnlyList<MemberProtocol> protocols)
    {
        if (protocolType.Length == 0 || protocols.Count == 0)
        {
            return false;
        }

        return _members.Count == 0
            || (ProtocolType == protocolType && protocols.Any(p => IsKnownToAll(p.Name, except: null)));
    }

    /// <summary>The common protocol that most members like best.</summary>
    public string? SelectProtocol()
    {
        Dictionary<string, int> votes = [];
        string? best = null;
        foreach (ClassicMember member in Members)
        {
            string? vote = member.Protocols.FirstOrDefault(p => IsKnownToAll(p.Name, member)).Name;
            if (vote is null)
            {
                continue;
            }

            votes[vote] = votes.GetValueOrDefault(vote) + 1;
            if (best is null || votes[vote] > votes[best])
            {
                best = vote;
            }
        }

        return best;
    }

    private bool IsKnownToAll(string protocol, ClassicMember? except)
    {
        foreach (ClassicMember member in Members)
        {
            if (member != except && !member.Protocols.Any(p => p.Name == protocol))
            {
                return false;
            }
        }

        return true;
    }
}
