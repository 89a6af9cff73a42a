using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Share;

/// <summary>The heartbeat of share groups' members. One owner: the loop.</summary>
internal sealed class ShareHeartbeats(GroupServices services)
{
    private const int Join = 0;
    private const int Leaves = -1;

    /// <summary>Told of members that are no longer there, by group and member.</summary>
    public Action<string, string>? Gone { get; set; }

    /// <summary>A sentence for the user, or null when nothing is wrong.</summary>
    public static string? Check(ConsumerHeartbeatRequest request) =>
        request.GroupId.Length == 0 ? "the group id is empty"
        : request.MemberId.Length == 0 ? "the member id is empty"
        : !GroupRequests.Fits(request.GroupId, request.MemberId, request.RackId, request.Client.ClientId)
            ? "a name is too long"
        : request.MemberEpoch < Leaves ? "there is no such member epoch"
        : request.MemberEpoch == Join && request.SubscribedTopics is null or { Count: 0 }
            ? "topics are needed to join"
        : null;

    public void Beat(Group owner, ConsumerHeartbeatRequest request, Action<ConsumerHeartbeatResult> done)
    {
        ShareGroup group = owner.Share!;
        ShareMember? member = group.Find(request.MemberId);
        bool joins = request.MemberEpoch == Join;
        CoordinatorError error = member is null && !joins ? CoordinatorError.UnknownMemberId
            : member is null && group.Members.Count >= services.Options.ShareMembersMax
                ? CoordinatorError.GroupMaxSizeReached
            : member is not null && request.MemberEpoch > group.Epoch ? CoordinatorError.FencedMemberEpoch
            : request.MemberEpoch != Leaves && !services.Memory.HasRoom(owner, Growth(member, request))
                ? CoordinatorError.GroupMaxSizeReached
            : CoordinatorError.None;
        if (error != CoordinatorError.None)
        {
            services.Reply(owner, done, ConsumerHeartbeatResult.Of(error));
            return;
        }

        if (request.MemberEpoch == Leaves)
        {
            Remove(owner, member!);
            services.Reply(owner, done, new ConsumerHeartbeatResult { MemberId = member!.Id, MemberEpoch = Leaves });
            return;
        }

        member ??= new ShareMember(request.MemberId);
        bool written = Update(owner, member, request, isNew: group.Find(member.Id) is null);
        Touch(owner, member);
        bool tells = joins || member.Epoch != group.Epoch || request.MemberEpoch != group.Epoch
            || request.SubscribedTopics is not null;
        member.Epoch = group.Epoch;
        services.Reply(owner, done, !written
            ? ConsumerHeartbeatResult.Of(CoordinatorError.CoordinatorNotAvailable)
            : new ConsumerHeartbeatResult
            {
                MemberId = member.Id,
                MemberEpoch = group.Epoch,
                HeartbeatIntervalMs =
                    services.Configs.Of(owner.Id).ShareHeartbeatIntervalMs ?? services.Options.HeartbeatIntervalMs,
                Assignment = tells ? member.Assigned : null,
            });
    }

    // What the group would weigh more with the member, or with what is new of it.
    private static long Growth(ShareMember? known, ConsumerHeartbeatRequest request)
    {
        long brings = request.SubscribedTopics is null ? 0 : MemberWeight.Of(request.SubscribedTopics);
        return known is null ? brings + MemberWeight.OfNames(request.MemberId, null, request.Client)
            : request.SubscribedTopics is null ? 0
            : brings - MemberWeight.Of(known.Topics);
    }

    public void Touch(Group owner, ShareMember member)
    {
        member.Session ??= new CoordinatorTimer(() => SessionOver(owner, member));
        int sessionMs =
            services.Configs.Of(owner.Id).ShareSessionTimeoutMs ?? services.Options.ConsumerSessionTimeoutMs;
        services.Timers.Arm(member.Session, services.NowMs + sessionMs);
    }

    /// <summary>After a start: members have one session's time to be heard of, and read where they did.</summary>
    public void Restore(Group owner)
    {
        if (owner.Share is not { } group)
        {
            return;
        }

        group.Assign(services.Topics);
        foreach (ShareMember member in group.Members)
        {
            member.Epoch = group.Epoch;
            Touch(owner, member);
        }
    }

    public static ConsumerGroupView Describe(Group owner)
    {
        ShareGroup group = owner.Share!;
        return new ConsumerGroupView
        {
            GroupId = owner.Id,
            State = group.State,
            Epoch = group.Epoch,
            AssignmentEpoch = group.Epoch,
            Assignor = "simple",
            Members = [.. group.Members.Select(m => new ConsumerMemberView
            {
                MemberId = m.Id,
                RackId = m.RackId,
                MemberEpoch = m.Epoch,
                Client = m.Client,
                SubscribedTopics = m.Topics,
                Assignment = m.Assigned,
                Target = m.Assigned,
            })],
        };
    }

    // A refused write leaves the member as it is in memory; it is written with the heartbeat that tries again.
    private bool Update(Group owner, ShareMember member, ConsumerHeartbeatRequest request, bool isNew)
    {
        ShareGroup group = owner.Share!;
        bool reads = isNew || (request.SubscribedTopics is { } topics && !topics.ToHashSet().SetEquals(member.Topics));
        bool changes = reads || (request.RackId ?? member.RackId) != member.RackId;
        bool topicsChanged = group.TopicsVersion != services.Topics.Version;
        if (!changes && !topicsChanged)
        {
            return true;
        }

        member.RackId = request.RackId ?? member.RackId;
        member.Client = request.Client;
        member.Topics = request.SubscribedTopics is { } names ? [.. names.Distinct()] : member.Topics;
        if (isNew)
        {
            group.Add(member);
        }

        Reassign(group);
        if (services.Write(owner, [ShareRecords.Member(owner.Id, member), ShareRecords.Group(owner.Id, group)]))
        {
            return true;
        }

        if (isNew)
        {
            group.Remove(member);
        }

        return false;
    }

    private void Reassign(ShareGroup group)
    {
        group.TopicsVersion = services.Topics.Version;
        group.Epoch++;
        group.Assign(services.Topics);
    }

    private void Remove(Group owner, ShareMember member)
    {
        ShareGroup group = owner.Share!;
        group.Remove(member);
        Reassign(group);
        // Refused: the member is found again at the next start, and its session ends there.
        services.Write(owner, [ShareRecords.MemberGone(owner.Id, member.Id), ShareRecords.Group(owner.Id, group)]);
        Gone?.Invoke(owner.Id, member.Id);
    }

    private void SessionOver(Group owner, ShareMember member)
    {
        if (owner.Share?.Find(member.Id) == member)
        {
            Remove(owner, member);
        }
    }
}
