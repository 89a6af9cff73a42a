using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Classic;

/// <summary>
/// The way from one generation to the next:
/// <code>
/// Empty --join--> PreparingRebalance --all joined, or time over--> CompletingRebalance --leader's sync--> Stable
///   ^                 |       ^                                           |                                  |
///   +--nobody joined--+       +---- somebody joins, leaves or dies -------+----------------------------------+
/// </code>
/// </summary>
internal sealed class ClassicRebalance(GroupServices services)
{
    /// <summary>Starts a rebalance, or goes on with the one under way.</summary>
    public void Continue(Group group)
    {
        if (group.Classic.State is ClassicState.Empty or ClassicState.CompletingRebalance or ClassicState.Stable)
        {
            Prepare(group);
        }
        else
        {
            TryComplete(group);
        }
    }

    public void SetState(Group group, ClassicState state)
    {
        group.Classic.State = state;
        group.Classic.StateSinceMs = services.NowMs;
    }

    /// <summary>Completes the join phase when everybody is there.</summary>
    public void TryComplete(Group group)
    {
        ClassicGroup classic = group.Classic;
        if (classic.Is(ClassicState.PreparingRebalance) && classic.DelayLeftMs < 0 && classic.PendingCount == 0
            && classic.CountAwaitingJoin() == classic.Members.Count)
        {
            Complete(group);
        }
    }

    /// <summary>Answers whoever waits for an assignment with an error; the assignments of the generation are
    /// void.</summary>
    public void FailSyncs(Group group, CoordinatorError error)
    {
        foreach (ClassicMember member in group.Classic.Members)
        {
            member.Assignment = [];
            AnswerSync(group, member, SyncResult.Of(error));
        }
    }

    public void AnswerJoin(Group group, ClassicMember member, JoinResult result)
    {
        if (member.AwaitingJoin is { } done)
        {
            member.AwaitingJoin = null;
            services.Reply(group, done, result);
        }
    }

    public void AnswerSync(Group group, ClassicMember member, SyncResult result)
    {
        if (member.AwaitingSync is { } done)
        {
            member.AwaitingSync = null;
            services.Reply(group, done, result);
        }
    }

    /// <summary>The generation as it is, for a member that has to hear of it (again).</summary>
    public static JoinResult Describe(ClassicGroup group, ClassicMember member)
    {
        bool leads = group.LeaderId == member.Id;
        return new JoinResult
        {
            Generation = group.Generation,
            ProtocolType = group.ProtocolType,
            ProtocolName = group.Protocol,
            LeaderId = group.LeaderId ?? "",
            MemberId = member.Id,
            Members = leads ? Everybody(group) : [],
        };
    }

    public static JoinedMember[] Everybody(ClassicGroup group) =>
        [.. group.Members.Select(m => new JoinedMember(m.Id, m.InstanceId, m.MetadataOf(group.Protocol)))];

    /// <summary>A member is no longer there, by its own will or by the clock.</summary>
    public void RemoveMember(Group group, ClassicMember member, CoordinatorError error)
    {
        ClassicGroup classic = group.Classic;
        Drop(group, member, error);
        if (classic.State is ClassicState.Stable or ClassicState.CompletingRebalance)
        {
            Prepare(group);
        }
        else
        {
            TryComplete(group);
        }
    }

    /// <summary>The group goes over to another protocol: whoever waits has to come again.</summary>
    public void Dissolve(Group group, CoordinatorError error)
    {
        ClassicGroup classic = group.Classic;
        foreach (ClassicMember member in classic.Members)
        {
            AnswerJoin(group, member, JoinResult.Of(error));
            AnswerSync(group, member, SyncResult.Of(error));
            TimerHeap.Cancel(member.Session);
        }

        TimerHeap.Cancel(classic.JoinTimer);
        TimerHeap.Cancel(classic.SyncTimer);
    }

    /// <summary>Somebody who got an id did not come back, or went away again.</summary>
    public void RemovePending(Group group, string memberId)
    {
        if (group.Classic.RemovePending(memberId))
        {
            TryComplete(group);
        }
    }

    /// <summary>The leader has assigned: everybody hears of it as soon as it is on disk.</summary>
    public void Assign(Group group, IReadOnlyList<(string MemberId, byte[] Assignment)> assignments)
    {
        ClassicGroup classic = group.Classic;
        Dictionary<string, byte[]> byMember = [];
        foreach ((string memberId, byte[] assignment) in assignments)
        {
            byMember[memberId] = assignment;
        }

        int generation = classic.Generation;
        CoordinatorRecord record = GroupRecords.Classic(group, m => byMember.GetValueOrDefault(m.Id, []));
        if (!services.Write(group, [record]))
        {
            AssignmentFailed(group);
            return;
        }

        services.Store.WhenDurable(group.Partition, group.LastWrite, ok =>
        {
            if (group.Classic != classic || !classic.Is(ClassicState.CompletingRebalance)
                || classic.Generation != generation)
            {
                return;
            }

            if (ok)
            {
                Assigned(group, byMember);
            }
            else
            {
                AssignmentFailed(group);
            }
        });
    }

    /// <summary>The session's time starts anew.</summary>
    public void Touch(Group group, ClassicMember member)
    {
        member.Session ??= new CoordinatorTimer(() => SessionOver(group, member));
        int timeoutMs = member.IsNew ? services.Options.NewMemberJoinTimeoutMs : member.SessionTimeoutMs;
        services.Timers.Arm(member.Session, services.NowMs + timeoutMs);
    }

    private void Assigned(Group group, Dictionary<string, byte[]> byMember)
    {
        foreach (ClassicMember member in group.Classic.Members)
        {
            member.Assignment = byMember.GetValueOrDefault(member.Id, []);
            if (member.AwaitingSync is not null)
            {
                Touch(group, member);
                group.Classic.PendingSync.Remove(member.Id);
            }
        }

        SetState(group, ClassicState.Stable);
        foreach (ClassicMember member in group.Classic.Members)
        {
            AnswerSync(group, member, Assignment(group.Classic, member));
        }
    }

    public static SyncResult Assignment(ClassicGroup group, ClassicMember member) => new()
    {
        ProtocolType = group.ProtocolType,
        ProtocolName = group.Protocol,
        Assignment = member.Assignment,
    };

    /// <summary>The leader's assignments cannot be kept: it hears why, and the others begin anew without it if it goes.
    /// </summary>
    public void RefuseAssignment(Group group, ClassicMember leader, CoordinatorError error)
    {
        AnswerSync(group, leader, SyncResult.Of(error));
        Prepare(group);
    }

    private void AssignmentFailed(Group group)
    {
        FailSyncs(group, CoordinatorError.CoordinatorNotAvailable);
        Prepare(group);
    }

    private void Prepare(Group group)
    {
        ClassicGroup classic = group.Classic;
        if (classic.Is(ClassicState.CompletingRebalance))
        {
            FailSyncs(group, CoordinatorError.RebalanceInProgress);
        }

        if (classic.SyncTimer is not null)
        {
            TimerHeap.Cancel(classic.SyncTimer);
        }

        bool first = classic.Is(ClassicState.Empty);
        SetState(group, ClassicState.PreparingRebalance);
        classic.JoinTimer ??= new CoordinatorTimer(() => JoinTimeOver(group, classic));
        int timeoutMs = classic.RebalanceTimeoutMs;
        int delayMs = first ? Math.Min(services.Options.InitialRebalanceDelayMs, timeoutMs) : 0;
        classic.DelayLeftMs = delayMs > 0 ? timeoutMs - delayMs : -1;
        classic.GrewInDelay = false;
        services.Timers.Arm(classic.JoinTimer, services.NowMs + (delayMs > 0 ? delayMs : timeoutMs));
        TryComplete(group);
    }

    private void JoinTimeOver(Group group, ClassicGroup classic)
    {
        if (group.Classic != classic || !classic.Is(ClassicState.PreparingRebalance))
        {
            return;
        }

        if (classic.DelayLeftMs > 0 && classic.GrewInDelay)
        {
            int delayMs = Math.Min(services.Options.InitialRebalanceDelayMs, classic.DelayLeftMs);
            classic.DelayLeftMs -= delayMs;
            classic.GrewInDelay = false;
            services.Timers.Arm(classic.JoinTimer!, services.NowMs + delayMs);
            return;
        }

        Complete(group);
    }

    private void Complete(Group group)
    {
        ClassicGroup classic = group.Classic;
        classic.DelayLeftMs = -1;
        foreach (ClassicMember late in classic.Members.Where(m => m.AwaitingJoin is null && m.InstanceId is null)
            .ToArray())
        {
            Drop(group, late, CoordinatorError.UnknownMemberId);
        }

        if (classic.Members.Count == 0)
        {
            BecomeEmpty(group);
            return;
        }

        if (!ElectLeader(classic))
        {
            // Only static members that have not come back: they may, until their sessions end.
            services.Timers.Arm(classic.JoinTimer!, services.NowMs + classic.RebalanceTimeoutMs);
            return;
        }

        TimerHeap.Cancel(classic.JoinTimer!);
        StartGeneration(group);
    }

    private void StartGeneration(Group group)
    {
        ClassicGroup classic = group.Classic;
        classic.Generation++;
        classic.Protocol = classic.SelectProtocol();
        SetState(group, ClassicState.CompletingRebalance);
        classic.PendingSync.Clear();
        foreach (ClassicMember member in classic.Members)
        {
            bool joined = member.AwaitingJoin is not null;
            member.IsNew = false;
            classic.PendingSync.Add(member.Id);
            AnswerJoin(group, member, Describe(classic, member));
            if (joined)
            {
                Touch(group, member);
            }
        }

        classic.SyncTimer ??= new CoordinatorTimer(() => SyncTimeOver(group, classic));
        services.Timers.Arm(classic.SyncTimer, services.NowMs + classic.RebalanceTimeoutMs);
    }

    private void BecomeEmpty(Group group)
    {
        ClassicGroup classic = group.Classic;
        TimerHeap.Cancel(classic.JoinTimer!);
        classic.Generation++;
        classic.Protocol = null;
        classic.LeaderId = null;
        SetState(group, ClassicState.Empty);
        // Refused: the next start finds members that do not come back, and empties the group again.
        services.Write(group, [GroupRecords.Classic(group, m => m.Assignment)]);
    }

    private static bool ElectLeader(ClassicGroup classic)
    {
        if (classic.LeaderId is { } leader && classic.Find(leader)?.AwaitingJoin is not null)
        {
            return true;
        }

        ClassicMember? joined = classic.Members.FirstOrDefault(m => m.AwaitingJoin is not null);
        classic.LeaderId = joined?.Id ?? classic.LeaderId;
        return joined is not null;
    }

    // Who joined but did not sync in time is gone, and the others go round once more.
    private void SyncTimeOver(Group group, ClassicGroup classic)
    {
        if (group.Classic != classic || classic.PendingSync.Count == 0
            || classic.State is not (ClassicState.CompletingRebalance or ClassicState.Stable))
        {
            return;
        }

        foreach (string memberId in classic.PendingSync.ToArray())
        {
            Drop(group, classic.Find(memberId)!, CoordinatorError.UnknownMemberId);
        }

        Prepare(group);
    }

    private void SessionOver(Group group, ClassicMember member)
    {
        if (group.Classic.Find(member.Id) != member)
        {
            return;
        }

        bool waits = member.AwaitingSync is not null || (member.AwaitingJoin is not null && !member.IsNew);
        if (waits)
        {
            Touch(group, member);
        }
        else
        {
            RemoveMember(group, member, CoordinatorError.UnknownMemberId);
        }
    }

    private void Drop(Group group, ClassicMember member, CoordinatorError error)
    {
        if (member.Session is not null)
        {
            TimerHeap.Cancel(member.Session);
        }

        AnswerJoin(group, member, JoinResult.Of(error));
        AnswerSync(group, member, SyncResult.Of(error));
        group.Classic.Remove(member);
    }
}
