using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>
/// A consumer that speaks the <c>consumer</c> protocol as clients do: it takes over what it is told, gives up what it
/// may no longer have, and says so with the next heartbeat.
/// </summary>
internal sealed class ConsumerClient(GroupScene scene, string name)
{
    private Answer<ConsumerHeartbeatResult>? _pending;
    private long _sentMs;
    private string[]? _sentTopics;

    public string Name => name;

    public string MemberId { get; set; } = "";

    public string? InstanceId { get; init; }

    public string[] Topics { get; set; } = ["t"];

    public string? Regex { get; set; }

    public ITopicAccess Access { get; set; } = EveryTopic.Instance;

    public string? Assignor { get; set; }

    public int RebalanceTimeoutMs { get; init; } = 10_000;

    public int Epoch { get; private set; }

    public HashSet<TopicIdPartition> Owned { get; private set; } = [];

    /// <summary>What it is still giving up; empty as a rule, for it does so at once.</summary>
    public HashSet<TopicIdPartition> Leaving { get; private set; } = [];

    public bool RevokesSlowly { get; set; }

    public bool IsFull { get; set; } = true;

    public CoordinatorError LastError { get; private set; }

    public string? LastMessage { get; private set; }

    public long NextBeatMs { get; private set; }

    /// <summary>When the last heartbeat that was answered was sent: its session goes on from there.</summary>
    public long LastHeardMs { get; private set; }

    public bool HasJoined => Epoch > 0;

    /// <summary>One heartbeat and its answer.</summary>
    public CoordinatorError Beat()
    {
        Send();
        return Receive() ? LastError : throw new InvalidOperationException("no answer");
    }

    public void Send()
    {
        bool full = IsFull || Epoch == 0;
        _sentMs = scene.Clock.NowMs;
        _sentTopics = full ? Topics : null;
        _pending = new Answer<ConsumerHeartbeatResult>();
        scene.Coordinator.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = "g",
                MemberId = MemberId,
                MemberEpoch = Epoch,
                InstanceId = InstanceId,
                RebalanceTimeoutMs = full ? RebalanceTimeoutMs : -1,
                SubscribedTopics = full ? Topics : null,
                SubscribedRegex = Regex,
                ServerAssignor = Assignor,
                Owned = [.. Owned.Concat(Leaving)],
                Client = new GroupClient(name, "/127.0.0.1"),
                Access = Access,
            },
            _pending.Take);
    }

    /// <summary>Takes the answer over if it has come.</summary>
    public bool Receive()
    {
        if (_pending is not { HasCome: true } answer)
        {
            return false;
        }

        _pending = null;
        ConsumerHeartbeatResult result = answer.Value;
        LastError = result.Error;
        LastMessage = result.Message;
        if (result.Error == CoordinatorError.None)
        {
            TakeOver(result);
        }
        else if (result.Error is CoordinatorError.FencedMemberEpoch or CoordinatorError.UnknownMemberId
            or CoordinatorError.FencedInstanceId or CoordinatorError.GroupIdNotFound)
        {
            Forget();
        }

        return true;
    }

    /// <summary>The answer is lost on its way.</summary>
    public void LoseAnswer() => _pending = null;

    public void FinishRevoking()
    {
        if (Leaving.Count > 0)
        {
            Leaving = [];
            NextBeatMs = 0;
        }
    }

    public CoordinatorError Leave(int epoch = -1)
    {
        Answer<ConsumerHeartbeatResult> answer = new();
        scene.Coordinator.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = "g",
                MemberId = MemberId,
                MemberEpoch = epoch,
                InstanceId = InstanceId,
                Client = new GroupClient(name, "/127.0.0.1"),
            },
            answer.Take);
        Forget();
        return answer.HasCome ? answer.Value.Error : CoordinatorError.None;
    }

    /// <summary>It has lost its membership and knows it.</summary>
    public void Forget()
    {
        Epoch = 0;
        Owned = [];
        Leaving = [];
        NextBeatMs = 0;
    }

    /// <summary>Whether a heartbeat is due, as the coordinator asked for it.</summary>
    public bool IsDue => _pending is null && scene.Clock.NowMs >= NextBeatMs;

    private void TakeOver(ConsumerHeartbeatResult result)
    {
        MemberId = result.MemberId;
        Epoch = result.MemberEpoch;
        // What was changed while the answer was on its way is still to be said.
        IsFull &= !ReferenceEquals(_sentTopics, Topics);
        LastHeardMs = _sentMs;
        NextBeatMs = scene.Clock.NowMs + result.HeartbeatIntervalMs;
        if (result.Assignment is not { } assignment)
        {
            return;
        }

        Leaving = [.. Owned.Concat(Leaving).Where(p => !assignment.Contains(p))];
        Owned = [.. assignment];
        if (Leaving.Count > 0 && !RevokesSlowly)
        {
            FinishRevoking();
        }
    }
}
