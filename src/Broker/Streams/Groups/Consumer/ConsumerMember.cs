namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>Where a member is on its way to what it should have. Numbers are those on disk.</summary>
internal enum MemberState : byte
{
    /// <summary>It has what it should have.</summary>
    Stable = 1,

    /// <summary>It has to give partitions up, and has not said that it did.</summary>
    UnrevokedPartitions = 2,

    /// <summary>It waits for partitions that others have not yet given up.</summary>
    UnreleasedPartitions = 3,
}

/// <summary>One member of a group of the <c>consumer</c> protocol.</summary>
internal sealed class ConsumerMember
{
    /// <summary>The epoch of a static member that is away for a while.</summary>
    public const int AwayEpoch = -2;

    private static readonly HashSet<TopicIdPartition> Nothing = [];
    private IReadOnlyList<string> _topics = [];
    private string? _regex;
    private ClassicSide? _classic;
    private object? _rules;

    public ConsumerMember(string id)
    {
        Id = id;
        Weigh();
    }

    /// <summary>What it takes of memory, without its partitions: those are bounded by the topics'.</summary>
    public MemberWeight Weight { get; } = new();

    public string Id { get; }

    public string? InstanceId { get; init; }

    public string? RackId { get; set; }

    public GroupClient Client { get; set; }

    public int RebalanceTimeoutMs { get; set; } = -1;

    public IReadOnlyList<string> Topics
    {
        get => _topics;
        set
        {
            _topics = value;
            Weigh();
        }
    }

    public string? Regex
    {
        get => _regex;
        set
        {
            _regex = value;
            Weigh();
        }
    }

    /// <summary>Which topics its user may know of; null = it has not been heard of since the node started.</summary>
    public ITopicAccess? Access { get; private set; }

    public string? Assignor { get; set; }

    /// <summary>What a member has that speaks the classic protocol; null for all others.</summary>
    public ClassicSide? Classic
    {
        get => _classic;
        set
        {
            _classic = value;
            Weigh();
        }
    }

    public int Epoch { get; set; }

    public int PreviousEpoch { get; set; }

    public MemberState State { get; set; } = MemberState.Stable;

    /// <summary>What it may have. Never changed, replaced whole.</summary>
    public HashSet<TopicIdPartition> Assigned { get; set; } = Nothing;

    /// <summary>What it has to give up. Never changed, replaced whole.</summary>
    public HashSet<TopicIdPartition> Revoking { get; set; } = Nothing;

    public CoordinatorTimer? Session { get; set; }

    public CoordinatorTimer? Revocation { get; set; }

    /// <summary>Whether who it is and what it reads has to be written.</summary>
    public bool IsChanged { get; set; } = true;

    /// <summary>Whether what it has has to be written.</summary>
    public bool HasMoved { get; set; } = true;

    public bool IsAway => Epoch == AwayEpoch;

    /// <summary>Its user is heard of. True: what its expression finds may be something else now.</summary>
    public bool Hear(ITopicAccess access)
    {
        object rules = access.Rules;
        bool changes = Regex is not null && !(access.Equals(Access) && ReferenceEquals(rules, _rules));
        (Access, _rules) = (access, rules);
        return changes;
    }

    /// <summary>What a subscription takes of memory, as far as it is given.</summary>
    public static long WeightOf(IReadOnlyList<string>? topics, string? regex) =>
        (topics is null ? 0 : MemberWeight.Of(topics)) + MemberWeight.Of(regex);

    // Whatever else it is called by comes with what it reads, as a rule.
    private void Weigh() => Weight.Set(
        MemberWeight.OfNames(Id, InstanceId, Client) + MemberWeight.Of(RackId) + WeightOf(Topics, Regex)
        + (Classic is null ? 0 : MemberWeight.Of(Classic.Protocols)));
}

/// <summary>The classic protocol's part of a member in a group of the <c>consumer</c> protocol.</summary>
/// <param name="SessionTimeoutMs">How often it has to be heard of.</param>
/// <param name="Protocols">What it can do, with its opaque metadata.</param>
internal sealed record ClassicSide(int SessionTimeoutMs, IReadOnlyList<MemberProtocol> Protocols);
