namespace Pillarbox.Broker.Streams.Groups.Share;

/// <summary>One member of a share group.</summary>
internal sealed class ShareMember
{
    private IReadOnlyList<string> _topics = [];

    public ShareMember(string id)
    {
        Id = id;
        Weigh();
    }

    /// <summary>What it takes of memory, without its partitions: those are bounded by the topics'.</summary>
    public MemberWeight Weight { get; } = new();

    public string Id { get; }

    public string? RackId { get; set; }

    public GroupClient Client { get; set; }

    public IReadOnlyList<string> Topics
    {
        get => _topics;
        set
        {
            _topics = value;
            Weigh();
        }
    }

    /// <summary>The group's epoch when it was last heard of.</summary>
    public int Epoch { get; set; }

    /// <summary>Where it shall read. Never changed, replaced whole.</summary>
    public HashSet<TopicIdPartition> Assigned { get; set; } = [];

    public CoordinatorTimer? Session { get; set; }

    private void Weigh() => Weight.Set(
        MemberWeight.OfNames(Id, null, Client) + MemberWeight.Of(RackId) + MemberWeight.Of(Topics));
}

/// <summary>The members of a share group. A partition may be with several of them, so that nothing has to be given up
/// before another one gets it.</summary>
internal sealed class ShareGroup
{
    private readonly SortedDictionary<string, ShareMember> _members = new(StringComparer.Ordinal);

    /// <summary>What members take of memory.</summary>
    public MembersWeight Weight { get; } = new();

    public int Epoch { get; set; }

    public long TopicsHash { get; set; }

    public long TopicsVersion { get; set; } = -1;

    public IReadOnlyCollection<ShareMember> Members => _members.Values;

    public string State => _members.Count == 0 ? "Empty" : "Stable";

    public ShareMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    /// <summary>A member is in, instead of one of the same id.</summary>
    public void Add(ShareMember member)
    {
        Find(member.Id)?.Weight.Leave();
        _members[member.Id] = member;
        member.Weight.Enter(Weight);
    }

    public void Remove(ShareMember member)
    {
        _members.Remove(member.Id);
        member.Weight.Leave();
        TimerHeap.Cancel(member.Session);
    }

    /// <summary>Spreads the partitions of each topic over its readers: each partition has at least one, each reader at
    /// least one, and nobody much more than others.</summary>
    public void Assign(ITopicView topics)
    {
        Dictionary<TopicInfo, List<ShareMember>> readers = [];
        foreach (ShareMember member in Members)
        {
            member.Assigned = [];
            foreach (string name in member.Topics)
            {
                if (topics.Find(name) is { PartitionCount: > 0 } topic)
                {
                    readers.TryAdd(topic, []);
                    readers[topic].Add(member);
                }
            }
        }

        int turn = 0;
        foreach ((TopicInfo topic, List<ShareMember> list) in readers.OrderBy(r => r.Key.Name, StringComparer.Ordinal))
        {
            int pairs = Math.Max(topic.PartitionCount, list.Count);
            for (int i = 0; i < pairs; i++)
            {
                ShareMember member = list[(i + turn) % list.Count];
                member.Assigned.Add(new TopicIdPartition(topic.Id, i % topic.PartitionCount));
            }

            turn += topic.PartitionCount % list.Count;
        }
    }
}
