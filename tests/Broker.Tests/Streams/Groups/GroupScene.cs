using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>An answer that has come or not.</summary>
internal sealed class Answer<T>
{
    private T? _value;

    public bool HasCome { get; private set; }

    public T Value => HasCome ? _value! : throw new InvalidOperationException("no answer yet");

    public void Take(T value)
    {
        Assert.False(HasCome, "a second answer");
        HasCome = true;
        _value = value;
    }
}

/// <summary>Topics that a test makes.</summary>
internal sealed class SceneTopics : ITopicView
{
    private readonly Dictionary<string, TopicInfo> _topics = [];

    public long Version { get; private set; }

    public IEnumerable<string> Names => _topics.Keys.Order(StringComparer.Ordinal);

    public TopicInfo? Find(string name) => _topics.GetValueOrDefault(name);

    public TopicInfo? Find(Guid id) => _topics.Values.FirstOrDefault(t => t.Id == id);

    public TopicInfo Set(string name, int partitions)
    {
        Version++;
        Guid id = _topics.TryGetValue(name, out TopicInfo? old)
            ? old.Id
            : new Guid((int)Version, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        return _topics[name] = new TopicInfo(name, id, partitions);
    }

    public void Remove(string name)
    {
        Version++;
        _topics.Remove(name);
    }
}

/// <summary>A group coordinator on one thread with a hand clock and a log in memory.</summary>
internal sealed class GroupScene
{
    private readonly GroupOptions _options;
    private readonly SeededRandom _random = new(7);

    public GroupScene(GroupOptions? options = null)
    {
        _options = options ?? new GroupOptions { InitialRebalanceDelayMs = 0 };
        Coordinator = Open();
    }

    public HandClock Clock { get; } = new();

    public SceneTopics Topics { get; } = new();

    public MemoryCoordinatorLog Log { get; private set; } = new();

    public GroupCoordinator Coordinator { get; private set; }

    /// <summary>Time passes in small steps, as a node ticks.</summary>
    public void Advance(long milliseconds)
    {
        const int StepMs = 100;
        for (long left = milliseconds; left > 0; left -= StepMs)
        {
            Clock.Advance(Math.Min(left, StepMs));
            Coordinator.Tick();
        }
    }

    /// <summary>The node dies and starts again.</summary>
    public void Crash(int unsyncedKept = 0)
    {
        Log = Log.Crash(unsyncedKept);
        Coordinator = Open();
    }

    public Answer<JoinResult> Join(
        string member = "", string? instance = null, string group = "g", string protocols = "range",
        bool knownId = false, bool maySkip = false, int sessionMs = 10_000, int rebalanceMs = 60_000,
        string metadata = "m")
    {
        Answer<JoinResult> answer = new();
        Coordinator.Join(
            new JoinRequest
            {
                GroupId = group,
                MemberId = member,
                InstanceId = instance,
                Client = new GroupClient("client", "/127.0.0.1"),
                SessionTimeoutMs = sessionMs,
                RebalanceTimeoutMs = rebalanceMs,
                ProtocolType = "consumer",
                Protocols = [.. protocols.Split(',').Select(p => new MemberProtocol(p, Bytes(metadata)))],
                RequiresKnownMemberId = knownId,
                MaySkipAssignment = maySkip,
            },
            answer.Take);
        return answer;
    }

    public Answer<SyncResult> Sync(
        string member, int generation, string? instance = null, string group = "g",
        params (string Member, string Assignment)[] assignments)
    {
        Answer<SyncResult> answer = new();
        Coordinator.Sync(
            new SyncRequest
            {
                Member = new GroupMemberRef(group, generation, member, instance),
                Assignments = [.. assignments.Select(a => (a.Member, Bytes(a.Assignment)))],
            },
            answer.Take);
        return answer;
    }

    public CoordinatorError Heartbeat(string member, int generation, string? instance = null, string group = "g")
    {
        Answer<PlainResult> answer = new();
        Coordinator.Heartbeat(new GroupMemberRef(group, generation, member, instance), answer.Take);
        return answer.HasCome ? answer.Value.Error : CoordinatorError.CoordinatorNotAvailable;
    }

    public CoordinatorError Leave(string member, string? instance = null, string group = "g")
    {
        Answer<LeaveResult> answer = new();
        Coordinator.Leave(group, [new LeavingMember(member, instance)], answer.Take);
        return !answer.HasCome || answer.Value.Error != CoordinatorError.None
            ? CoordinatorError.CoordinatorNotAvailable
            : answer.Value.Members[0];
    }

    public Answer<OffsetCommitResult> Commit(
        long offset, string member = "", int generation = -1, string group = "g", string topic = "t",
        int partition = 0, string metadata = "", ProducerStamp? producer = null, bool knowsNotFound = false)
    {
        Answer<OffsetCommitResult> answer = new();
        Coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef(group, generation, member, null),
                Offsets = [new OffsetToCommit(new TopicPartition(topic, partition), offset, 3, metadata)],
                Producer = producer ?? ProducerStamp.None,
                KnowsGroupIdNotFound = knowsNotFound,
            },
            answer.Take);
        return answer;
    }

    public static CoordinatorError ErrorOf(Answer<OffsetCommitResult> answer) =>
        answer.Value.Error != CoordinatorError.None ? answer.Value.Error : answer.Value.Offsets[0];

    public FetchedOffset Fetch(
        string group = "g", string topic = "t", int partition = 0, bool stable = false)
    {
        Answer<OffsetFetchResult> answer = new();
        Coordinator.FetchOffsets(
            new OffsetFetchRequest
            {
                Member = new GroupMemberRef(group, -1, "", null),
                Partitions = [new TopicPartition(topic, partition)],
                RequireStable = stable,
            },
            answer.Take);
        Assert.Equal(CoordinatorError.None, answer.Value.Error);
        return answer.Value.Offsets[0];
    }

    public ClassicGroupView Describe(string group = "g")
    {
        Answer<ClassicGroupView> answer = new();
        Coordinator.Describe(group, answer.Take);
        return answer.Value;
    }

    public CoordinatorError Delete(string group = "g")
    {
        Answer<PlainResult> answer = new();
        Coordinator.Delete(group, answer.Take);
        return answer.Value.Error;
    }

    public IReadOnlyList<GroupListing> List()
    {
        Answer<IReadOnlyList<GroupListing>> answer = new();
        Coordinator.List(answer.Take);
        return answer.Value;
    }

    public static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    public static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);

    private GroupCoordinator Open() => GroupCoordinator.Open(
        _options, Log, new CoordinatorLoop(NullLogger.Instance),
        new CoordinatorSeams(Clock, _random, Topics, NullLogger.Instance));
}
