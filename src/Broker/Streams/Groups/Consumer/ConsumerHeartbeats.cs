namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>The one request of the <c>consumer</c> protocol. One owner: the loop.</summary>
internal sealed class ConsumerHeartbeats(
    GroupServices services, ConsumerTargets targets, ConsumerMembers members)
{
    /// <summary>A member of the group, which speaks this protocol, is heard of.</summary>
    public void Beat(Group owner, ConsumerHeartbeatRequest request, Action<ConsumerHeartbeatResult> done)
    {
        ConsumerGroup group = owner.Consumer!;
        if (request.MemberEpoch < HeartbeatRules.Join)
        {
            services.Reply(owner, done, Leave(owner, request));
            return;
        }

        if (!services.Memory.HasRoom(owner, Growth(group, request)))
        {
            services.Reply(owner, done, ConsumerHeartbeatResult.Of(CoordinatorError.GroupMaxSizeReached) with
            {
                Message = "the members of the group, or of all groups, take too much memory",
            });
            return;
        }

        ConsumerMember? member = Enter(group, request, out CoordinatorError error, out bool isNew);
        if (member is null)
        {
            services.Reply(owner, done, ConsumerHeartbeatResult.Of(error));
            return;
        }

        HashSet<TopicIdPartition> before = member.Assigned;
        bool lostAnswer = request.MemberEpoch != member.Epoch;
        if (request.MemberEpoch == HeartbeatRules.Join && !isNew)
        {
            Restart(member);
        }

        bool changed = Update(member, request);
        bool seesOthers = member.Hear(request.Access);
        targets.LookAtTopics(group, changed || isNew, seesOthers);
        targets.Update(owner, members.Assign);
        Reconciliation.Step(group, member, request.Owned);
        members.Touch(owner, member);
        if (!members.Flush(owner))
        {
            services.Reply(owner, done, ConsumerHeartbeatResult.Of(CoordinatorError.CoordinatorNotAvailable));
            return;
        }

        bool joins = request.MemberEpoch == HeartbeatRules.Join;
        bool tells = lostAnswer || joins || HeartbeatRules.IsFull(request) || !member.Assigned.SetEquals(before);
        services.Reply(owner, done, Answer(owner, member, tells));
    }

    // What the group would weigh more with the member, or with what is new of it. Who is no member and does not join is
    // refused anyway.
    private static long Growth(ConsumerGroup group, ConsumerHeartbeatRequest request)
    {
        long brings = ConsumerMember.WeightOf(request.SubscribedTopics, request.SubscribedRegex);
        if (group.Find(request.MemberId) is { } known)
        {
            return brings - ConsumerMember.WeightOf(
                request.SubscribedTopics is null ? null : known.Topics,
                request.SubscribedRegex is null ? null : known.Regex);
        }

        return request.MemberEpoch == HeartbeatRules.Join
            ? brings + MemberWeight.OfNames(request.MemberId, request.InstanceId, request.Client)
            : 0;
    }

    /// <summary>A heartbeat for a member that has to give partitions up, or waits for some, comes sooner.</summary>
    private ConsumerHeartbeatResult Answer(Group owner, ConsumerMember member, bool tells)
    {
        ConsumerGroup group = owner.Consumer!;
        bool settled = member.State == MemberState.Stable && group.Epoch == group.AssignmentEpoch;
        return new ConsumerHeartbeatResult
        {
            MemberId = member.Id,
            MemberEpoch = member.Epoch,
            HeartbeatIntervalMs = settled
                ? services.Configs.Of(owner.Id).ConsumerHeartbeatIntervalMs ?? services.Options.HeartbeatIntervalMs
                : services.Options.WaitingHeartbeatIntervalMs,
            Assignment = tells ? member.Assigned : null,
        };
    }

    private ConsumerMember? Enter(
        ConsumerGroup group, ConsumerHeartbeatRequest request, out CoordinatorError error, out bool isNew)
    {
        isNew = false;
        ConsumerMember? holder = request.InstanceId is null ? null : group.FindInstance(request.InstanceId);
        ConsumerMember? member = group.Find(request.MemberId);
        if (request.MemberEpoch == HeartbeatRules.Join && holder is not null && holder != member)
        {
            error = holder.IsAway ? CoordinatorError.None : CoordinatorError.UnreleasedInstanceId;
            return holder.IsAway ? ComeBack(group, holder, request) : null;
        }

        if (request.MemberEpoch != HeartbeatRules.Join || member is not null)
        {
            error = request.InstanceId is not null && holder is null ? CoordinatorError.UnknownMemberId
                : request.InstanceId is not null && holder != member ? CoordinatorError.FencedInstanceId
                : member is null ? CoordinatorError.UnknownMemberId
                : HeartbeatRules.CheckEpoch(member, request);
            return error == CoordinatorError.None ? member : null;
        }

        error = group.Members.Count < services.Options.MembersMax
            ? CoordinatorError.None
            : CoordinatorError.GroupMaxSizeReached;
        if (error != CoordinatorError.None)
        {
            return null;
        }

        isNew = true;
        ConsumerMember added = New(request);
        group.Add(added);
        return added;
    }

    private ConsumerMember New(ConsumerHeartbeatRequest request) =>
        new(request.MemberId.Length > 0 ? request.MemberId : services.NewMemberId())
        {
            InstanceId = request.InstanceId,
        };

    private ConsumerMember ComeBack(ConsumerGroup group, ConsumerMember away, ConsumerHeartbeatRequest request)
    {
        ConsumerMember back = New(request);
        back.Topics = away.Topics;
        back.Regex = away.Regex;
        back.Assignor = away.Assignor;
        ConsumerMembers.Replace(group, away, back);
        return back;
    }

    // It begins anew and has nothing: what it had to give up is given up.
    private static void Restart(ConsumerMember member)
    {
        member.Epoch = HeartbeatRules.Join;
        member.PreviousEpoch = HeartbeatRules.Join;
        member.HasMoved = true;
    }

    /// <summary>Takes over what is new; true when the member reads other topics than before.</summary>
    private static bool Update(ConsumerMember member, ConsumerHeartbeatRequest request)
    {
        bool reads = (request.SubscribedTopics is { } topics
                && !topics.ToHashSet().SetEquals(member.Topics))
            || (request.SubscribedRegex is { } regex && regex != (member.Regex ?? ""))
            || (request.ServerAssignor is { } assignor && assignor != member.Assignor);
        bool changes = reads || (request.RackId ?? member.RackId) != member.RackId
            || (request.RebalanceTimeoutMs >= 0 && request.RebalanceTimeoutMs != member.RebalanceTimeoutMs)
            || request.Client != member.Client || member.Classic is not null;
        if (!changes)
        {
            return false;
        }

        member.IsChanged = true;
        member.Classic = null;
        member.Client = request.Client;
        member.RackId = request.RackId ?? member.RackId;
        member.Assignor = request.ServerAssignor ?? member.Assignor;
        member.Topics = request.SubscribedTopics is null ? member.Topics : [.. request.SubscribedTopics.Distinct()];
        member.Regex = request.SubscribedRegex is null ? member.Regex
            : request.SubscribedRegex.Length == 0 ? null : request.SubscribedRegex;
        member.RebalanceTimeoutMs =
            request.RebalanceTimeoutMs >= 0 ? request.RebalanceTimeoutMs : member.RebalanceTimeoutMs;
        return reads;
    }

    private ConsumerHeartbeatResult Leave(Group owner, ConsumerHeartbeatRequest request)
    {
        ConsumerGroup group = owner.Consumer!;
        ConsumerMember? holder = request.InstanceId is null ? null : group.FindInstance(request.InstanceId);
        ConsumerMember? member = group.Find(request.MemberId);
        CoordinatorError error = request.InstanceId is not null && holder is null ? CoordinatorError.UnknownMemberId
            : request.InstanceId is not null && holder != member ? CoordinatorError.FencedInstanceId
            : member is null ? CoordinatorError.UnknownMemberId
            : CoordinatorError.None;
        if (error != CoordinatorError.None)
        {
            return ConsumerHeartbeatResult.Of(error);
        }

        if (request.MemberEpoch == HeartbeatRules.Leave)
        {
            members.Remove(owner, member!);
        }
        else
        {
            GoAway(group, member!);
            members.Touch(owner, member!);
            members.Flush(owner);
        }

        return new ConsumerHeartbeatResult { MemberId = request.MemberId, MemberEpoch = request.MemberEpoch };
    }

    // What it had to give up it no longer has; the rest waits for it until its session ends.
    private static void GoAway(ConsumerGroup group, ConsumerMember member)
    {
        group.Release(member);
        member.Revoking = [];
        member.State = MemberState.Stable;
        member.Epoch = ConsumerMember.AwayEpoch;
        member.HasMoved = true;
        group.Take(member);
    }
}
