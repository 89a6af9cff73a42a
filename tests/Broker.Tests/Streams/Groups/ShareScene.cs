using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>A share coordinator on one thread with a hand clock and a log in memory, busy with one partition.</summary>
internal sealed class ShareScene
{
    public static readonly SharePartitionKey Key = new("g", new TopicIdPartition(new Guid(1, 2, 3, new byte[8]), 0));
    private readonly ShareOptions _options;

    public ShareScene(ShareOptions? options = null)
    {
        _options = options ?? new ShareOptions();
        Coordinator = Open();
    }

    public HandClock Clock { get; } = new();

    public MemoryCoordinatorLog Log { get; private set; } = new();

    public ShareCoordinator Coordinator { get; private set; }

    public List<ShareDeadLetter> DeadLetters { get; } = [];

    /// <summary>The settings that the group has of its own; survives a crash, as it is not the coordinator's.</summary>
    public GroupConfig Config { get; private set; } = GroupConfig.Default;

    public void Configure(params (string Name, string Value)[] settings)
    {
        Config = GroupConfig.TryMake(settings.ToDictionary(s => s.Name, s => s.Value), out string? problem)!;
        Assert.Null(problem);
    }

    public void Advance(long milliseconds)
    {
        Clock.Advance(milliseconds);
        Coordinator.Tick();
    }

    public void Crash(int unsyncedKept = 0)
    {
        Log = Log.Crash(unsyncedKept);
        Coordinator = Open();
    }

    public SharePosition Begin(long beginAt = 0, long logStart = 0, long? byTime = null)
    {
        Answer<SharePosition> answer = new();
        Coordinator.Open(Key, logStart, beginAt, byTime, answer.Take);
        return answer.HasCome ? answer.Value : SharePosition.Of(CoordinatorError.CoordinatorNotAvailable);
    }

    public IReadOnlyList<AcquiredRange> Acquire(
        string member, long first, long last, int max = int.MaxValue, params (long First, long Last)[] aborted)
    {
        Answer<ShareAcquireResult> answer = new();
        Coordinator.Acquire(
            new ShareAcquireRequest
            {
                Key = Key,
                MemberId = member,
                First = first,
                Last = last,
                RecordsMax = max,
                Aborted = aborted,
            },
            answer.Take);
        Assert.Equal(CoordinatorError.None, answer.Value.Error);
        return answer.Value.Ranges;
    }

    public Answer<PlainResult> AcknowledgeLater(
        string member, long first, long last, params ShareAcknowledgement[] types)
    {
        Answer<PlainResult> answer = new();
        Coordinator.Acknowledge(Key, member, [new ShareAcknowledgeRange(first, last, types)], answer.Take);
        return answer;
    }

    public CoordinatorError Acknowledge(string member, long first, long last, params ShareAcknowledgement[] types) =>
        AcknowledgeLater(member, first, last, types).Value.Error;

    private ShareCoordinator Open()
    {
        ShareCoordinator coordinator = ShareCoordinator.Open(
            _options, Log, new CoordinatorLoop(NullLogger.Instance),
            new CoordinatorSeams(Clock, new SeededRandom(1), new SceneTopics(), NullLogger.Instance));
        coordinator.ConfigOf = _ => Config;
        coordinator.KeepDeadLetters((letter, done) =>
        {
            DeadLetters.Add(letter);
            done(true);
        });
        return coordinator;
    }
}
