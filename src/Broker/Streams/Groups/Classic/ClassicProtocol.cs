using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Classic;

/// <summary>What members of classic groups ask for, request by request. One owner: the loop.</summary>
internal sealed class ClassicProtocol(GroupServices services, ClassicRebalance rebalance)
{
    /// <summary>A member joins, for the first time or again.</summary>
    public void Join(Group group, JoinRequest request, Action<JoinResult> done)
    {
        ClassicGroup classic = group.Classic;
        if (classic.Is(ClassicState.Dead))
        {
            Refuse(CoordinatorError.CoordinatorNotAvailable);
        }
        else if (!HasRoom(classic, request.MemberId) || !services.Memory.HasRoom(group, Growth(classic, request)))
        {
            Refuse(CoordinatorError.GroupMaxSizeReached);
        }
        else if (!classic.Supports(request.ProtocolType, request.Protocols))
        {
            Refuse(CoordinatorError.InconsistentGroupProtocol);
        }
        else if (request.MemberId.Length == 0)
        {
            JoinNew(group, request, done);
        }
        else if (classic.IsPending(request.MemberId))
        {
            JoinPending(group, request, done);
        }
        else if (Validate(classic, request.MemberId, request.InstanceId) is var error and not CoordinatorError.None)
        {
            Refuse(error);
        }
        else
        {
            JoinAgain(group, classic.Find(request.MemberId)!, request, done);
        }

        void Refuse(CoordinatorError e) => services.Reply(group, done, new JoinResult
        {
            Error = e,
            MemberId = request.MemberId,
        });
    }

    public void Sync(Group group, SyncRequest request, Action<SyncResult> done)
    {
        ClassicGroup classic = group.Classic;
        CoordinatorError error = Validate(classic, request.Member);
        if (error == CoordinatorError.None && !IsConsistent(classic, request))
        {
            error = CoordinatorError.InconsistentGroupProtocol;
        }

        if (error == CoordinatorError.None)
        {
            error = classic.State switch
            {
                ClassicState.PreparingRebalance => CoordinatorError.RebalanceInProgress,
                ClassicState.CompletingRebalance or ClassicState.Stable => CoordinatorError.None,
                _ => CoordinatorError.UnknownMemberId,
            };
        }

        if (error != CoordinatorError.None)
        {
            services.Reply(group, done, SyncResult.Of(error));
            return;
        }

        ClassicMember member = classic.Find(request.Member.MemberId)!;
        classic.PendingSync.Remove(member.Id);
        rebalance.AnswerSync(group, member, SyncResult.Of(CoordinatorError.RebalanceInProgress));
        member.AwaitingSync = done;
        if (classic.Is(ClassicState.Stable))
        {
            rebalance.Touch(group, member);
            rebalance.AnswerSync(group, member, ClassicRebalance.Assignment(classic, member));
        }
        else if (member.Id == classic.LeaderId && services.Memory.HasRoom(group, Growth(classic, request)))
        {
            rebalance.Assign(group, request.Assignments);
        }
        else if (member.Id == classic.LeaderId)
        {
            rebalance.RefuseAssignment(group, member, CoordinatorError.InvalidRequest);
        }
    }

    public CoordinatorError Heartbeat(Group group, in GroupMemberRef who)
    {
        ClassicGroup classic = group.Classic;
        CoordinatorError error = Validate(classic, who);
        if (error != CoordinatorError.None)
        {
            return error;
        }

        if (classic.State is ClassicState.Empty or ClassicState.Dead)
        {
            return CoordinatorError.UnknownMemberId;
        }

        rebalance.Touch(group, classic.Find(who.MemberId)!);
        return classic.Is(ClassicState.PreparingRebalance)
            ? CoordinatorError.RebalanceInProgress
            : CoordinatorError.None;
    }

    public CoordinatorError Leave(Group group, in LeavingMember who)
    {
        ClassicGroup classic = group.Classic;
        if (classic.IsPending(who.MemberId))
        {
            if (who.InstanceId is not null)
            {
                return CoordinatorError.UnknownMemberId;
            }

            rebalance.RemovePending(group, who.MemberId);
            return CoordinatorError.None;
        }

        bool byInstance = who.MemberId.Length == 0 && who.InstanceId is not null;
        ClassicMember? member =
            byInstance ? classic.FindInstance(who.InstanceId!) : classic.Find(who.MemberId);
        CoordinatorError error = byInstance
            ? member is null ? CoordinatorError.UnknownMemberId : CoordinatorError.None
            : Validate(classic, who.MemberId, who.InstanceId);
        if (error == CoordinatorError.None)
        {
            rebalance.RemoveMember(group, member!, CoordinatorError.UnknownMemberId);
        }

        return error;
    }

    /// <summary>Whether a member of this generation asks.</summary>
    public static CoordinatorError Validate(ClassicGroup group, in GroupMemberRef who)
    {
        CoordinatorError error = Validate(group, who.MemberId, who.InstanceId);
        return error == CoordinatorError.None && who.Generation != group.Generation
            ? CoordinatorError.IllegalGeneration
            : error;
    }

    /// <summary>Whether a member asks, under the name that a static member has now.</summary>
    public static CoordinatorError Validate(ClassicGroup group, string memberId, string? instanceId)
    {
        if (instanceId is not null)
        {
            ClassicMember? holder = group.FindInstance(instanceId);
            return holder is null ? CoordinatorError.UnknownMemberId
                : holder.Id != memberId ? CoordinatorError.FencedInstanceId
                : CoordinatorError.None;
        }

        return group.Find(memberId) is null ? CoordinatorError.UnknownMemberId : CoordinatorError.None;
    }

    private static bool IsConsistent(ClassicGroup group, SyncRequest request) =>
        (request.ProtocolType is null || request.ProtocolType == group.ProtocolType)
        && (request.ProtocolName is null || request.ProtocolName == group.Protocol);

    private bool HasRoom(ClassicGroup group, string memberId) => group.State switch
    {
        ClassicState.Empty or ClassicState.Dead => true,
        ClassicState.PreparingRebalance =>
            group.Find(memberId)?.AwaitingJoin is not null || group.CountAwaitingJoin() < services.Options.MembersMax,
        _ => group.Find(memberId) is not null || group.Members.Count < services.Options.MembersMax,
    };

    // What the group would weigh more with the member, or with what is new of it.
    private static long Growth(ClassicGroup group, JoinRequest request)
    {
        ClassicMember? known = request.InstanceId is { } instanceId
            ? group.FindInstance(instanceId)
            : group.Find(request.MemberId);
        long brings = MemberWeight.Of(request.Protocols);
        return known is null
            ? brings + MemberWeight.OfNames(request.MemberId, request.InstanceId, request.Client)
            : brings - MemberWeight.Of(known.Protocols);
    }

    // What the group would weigh more with the leader's assignments.
    private static long Growth(ClassicGroup group, SyncRequest request)
    {
        long more = 0;
        HashSet<string> seen = [];
        foreach ((string memberId, byte[] assignment) in request.Assignments.Reverse())
        {
            // Of a member that is named more than once, the last counts.
            if (seen.Add(memberId) && group.Find(memberId) is { } member)
            {
                more += MemberWeight.Of(assignment) - MemberWeight.Of(member.Assignment);
            }
        }

        return more;
    }

    private void JoinNew(Group group, JoinRequest request, Action<JoinResult> done)
    {
        ClassicGroup classic = group.Classic;
        string prefix = request.InstanceId ?? request.Client.ClientId;
        string memberId = services.NewMemberId(prefix);
        if (request.InstanceId is { } instanceId)
        {
            ClassicMember? holder = classic.FindInstance(instanceId);
            if (holder is null)
            {
                Add(group, memberId, request, done);
            }
            else
            {
                Replace(group, holder, memberId, request, done);
            }
        }
        else if (classic.PendingCount >= services.Options.MembersMax)
        {
            services.Reply(group, done, JoinResult.Of(CoordinatorError.GroupMaxSizeReached));
        }
        else if (request.RequiresKnownMemberId)
        {
            CoordinatorTimer timer = new(() => rebalance.RemovePending(group, memberId));
            classic.AddPending(memberId, timer);
            services.Timers.Arm(timer, services.NowMs + request.SessionTimeoutMs);
            services.Reply(group, done, new JoinResult
            {
                Error = CoordinatorError.MemberIdRequired,
                MemberId = memberId,
            });
        }
        else
        {
            Add(group, memberId, request, done);
        }
    }

    private void JoinPending(Group group, JoinRequest request, Action<JoinResult> done)
    {
        if (request.InstanceId is not null)
        {
            // Static members never get an id without joining.
            services.Reply(group, done, JoinResult.Of(CoordinatorError.UnknownMemberId));
            return;
        }

        group.Classic.RemovePending(request.MemberId);
        Add(group, request.MemberId, request, done);
    }

    private void Add(Group group, string memberId, JoinRequest request, Action<JoinResult> done)
    {
        ClassicGroup classic = group.Classic;
        ClassicMember member = new(memberId, request.InstanceId, request.Client) { IsNew = true };
        if (classic.Members.Count == 0)
        {
            classic.ProtocolType = request.ProtocolType;
        }

        classic.Add(member);
        classic.GrewInDelay |= classic.Is(ClassicState.PreparingRebalance);
        Update(group, member, request, done);
        rebalance.Continue(group);
    }

    private void Update(Group group, ClassicMember member, JoinRequest request, Action<JoinResult> done)
    {
        rebalance.AnswerJoin(group, member, JoinResult.Of(CoordinatorError.RebalanceInProgress));
        member.Client = request.Client;
        member.SessionTimeoutMs = request.SessionTimeoutMs;
        member.RebalanceTimeoutMs = request.RebalanceTimeoutMs;
        member.Protocols = request.Protocols;
        member.AwaitingJoin = done;
        rebalance.Touch(group, member);
    }

    private void JoinAgain(Group group, ClassicMember member, JoinRequest request, Action<JoinResult> done)
    {
        ClassicGroup classic = group.Classic;
        bool same = member.Matches(request.Protocols);
        bool repeats = (classic.Is(ClassicState.CompletingRebalance) && same)
            || (classic.Is(ClassicState.Stable) && same && member.Id != classic.LeaderId);
        if (classic.State is ClassicState.Empty or ClassicState.Dead)
        {
            services.Reply(group, done, JoinResult.Of(CoordinatorError.UnknownMemberId));
        }
        else if (repeats)
        {
            // The answer was lost, or nothing has changed for it: the generation stays.
            rebalance.Touch(group, member);
            services.Reply(group, done, ClassicRebalance.Describe(classic, member));
        }
        else
        {
            Update(group, member, request, done);
            rebalance.Continue(group);
        }
    }

    // A static member is back under a new id; whoever still uses the old one is fenced.
    private void Replace(
        Group group, ClassicMember member, string memberId, JoinRequest request, Action<JoinResult> done)
    {
        ClassicGroup classic = group.Classic;
        string? leaderBefore = classic.LeaderId;
        rebalance.AnswerJoin(group, member, JoinResult.Of(CoordinatorError.FencedInstanceId));
        rebalance.AnswerSync(group, member, SyncResult.Of(CoordinatorError.FencedInstanceId));
        classic.Rename(member, memberId);
        string? protocolBefore = classic.Protocol;
        Update(group, member, request, done);
        bool stays = classic.Is(ClassicState.Stable) && classic.SelectProtocol() == protocolBefore;
        if (!stays)
        {
            rebalance.Continue(group);
            return;
        }

        member.IsNew = false;
        if (!services.Write(group, [GroupRecords.Classic(group, m => m.Assignment)]))
        {
            rebalance.AnswerJoin(group, member, JoinResult.Of(CoordinatorError.CoordinatorNotAvailable));
            return;
        }

        bool leads = classic.LeaderId == member.Id;
        bool skips = leads && request.MaySkipAssignment;
        rebalance.AnswerJoin(group, member, ClassicRebalance.Describe(classic, member) with
        {
            // A client that cannot skip must not think that it leads: it would assign anew.
            LeaderId = leads && !skips ? leaderBefore ?? "" : classic.LeaderId ?? "",
            Members = skips ? ClassicRebalance.Everybody(classic) : [],
            SkipAssignment = skips,
        });
    }
}
