using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>
/// Members that speak the classic protocol in a group of the <c>consumer</c> protocol: the group assigns, and they
/// hear of it as followers of a leader that nobody is. Generation and member epoch are the same number.
/// One owner: the loop.
/// </summary>
internal sealed class ClassicInConsumer(GroupServices services, ConsumerTargets targets, ConsumerMembers members)
{
    public void Join(Group owner, JoinRequest request, Action<JoinResult> done)
    {
        ConsumerGroup group = owner.Consumer!;
        ConsumerSubscription? subscription = request.ProtocolType == ConsumerProtocol.Type
            && request.Protocols.Count > 0
                ? ConsumerProtocol.ReadSubscription(request.Protocols[0].Metadata)
                : null;
        if (subscription is null)
        {
            Refuse(CoordinatorError.InconsistentGroupProtocol, request.MemberId);
            return;
        }

        bool isNameless = request.MemberId.Length == 0 && request.InstanceId is null;
        if (isNameless && request.RequiresKnownMemberId)
        {
            Refuse(CoordinatorError.MemberIdRequired, services.NewMemberId(request.Client.ClientId));
            return;
        }

        if (!services.Memory.HasRoom(owner, Growth(group, request, subscription)))
        {
            Refuse(CoordinatorError.GroupMaxSizeReached, request.MemberId);
            return;
        }

        if (Enter(group, request, out CoordinatorError error, out bool isNew) is not { } member)
        {
            Refuse(error, request.MemberId);
            return;
        }

        bool reads = !subscription.Topics.ToHashSet().SetEquals(member.Topics);
        Update(member, request, subscription);
        targets.LookAtTopics(group, reads || isNew);
        targets.Update(owner, members.Assign);
        Reconciliation.Step(group, member, ToIds(services.Topics, subscription.Owned));
        members.Touch(owner, member);
        bool written = members.Flush(owner);
        services.Reply(owner, done, new JoinResult
        {
            Error = written ? CoordinatorError.None : CoordinatorError.CoordinatorNotAvailable,
            Generation = member.Epoch,
            ProtocolType = ConsumerProtocol.Type,
            ProtocolName = request.Protocols[0].Name,
            MemberId = member.Id,
        });

        void Refuse(CoordinatorError e, string memberId) =>
            services.Reply(owner, done, new JoinResult { Error = e, MemberId = memberId });
    }

    public void Sync(Group owner, SyncRequest request, Action<SyncResult> done)
    {
        CoordinatorError error = Validate(owner.Consumer!, request.Member, out ConsumerMember? member);
        services.Reply(owner, done, error != CoordinatorError.None ? SyncResult.Of(error) : new SyncResult
        {
            ProtocolType = ConsumerProtocol.Type,
            ProtocolName = request.ProtocolName ?? member!.Classic!.Protocols[0].Name,
            Assignment = AssignmentOf(services.Topics, member!),
        });
    }

    public CoordinatorError Heartbeat(Group owner, in GroupMemberRef who)
    {
        ConsumerGroup group = owner.Consumer!;
        CoordinatorError error = Validate(group, who, out ConsumerMember? member);
        if (error != CoordinatorError.None)
        {
            return error;
        }

        members.Touch(owner, member!);
        bool goesOn = member!.Epoch < group.AssignmentEpoch || member.State == MemberState.UnrevokedPartitions
            || (member.State == MemberState.UnreleasedPartitions && IsSomethingFree(group, member));
        return goesOn ? CoordinatorError.RebalanceInProgress : CoordinatorError.None;
    }

    public CoordinatorError Leave(Group owner, in LeavingMember who)
    {
        ConsumerGroup group = owner.Consumer!;
        ConsumerMember? member = who.MemberId.Length == 0 && who.InstanceId is not null
            ? group.FindInstance(who.InstanceId)
            : group.Find(who.MemberId);
        if (member is null)
        {
            return CoordinatorError.UnknownMemberId;
        }

        if (who.InstanceId is not null && member.InstanceId != who.InstanceId)
        {
            return CoordinatorError.FencedInstanceId;
        }

        members.Remove(owner, member);
        return CoordinatorError.None;
    }

    public static HashSet<TopicIdPartition> ToIds(ITopicView topics, IEnumerable<TopicPartition> partitions)
    {
        HashSet<TopicIdPartition> found = [];
        foreach (TopicPartition partition in partitions)
        {
            if (topics.Find(partition.Topic) is { } topic)
            {
                found.Add(new TopicIdPartition(topic.Id, partition.Partition));
            }
        }

        return found;
    }

    /// <summary>What a member has, as classic members read it.</summary>
    public static byte[] AssignmentOf(ITopicView topics, ConsumerMember member) =>
        ConsumerProtocol.WriteAssignment(
            from partition in member.Assigned
            let topic = topics.Find(partition.TopicId)
            where topic is not null
            orderby topic.Name, partition.Partition
            group partition.Partition by topic.Name);

    // What the group would weigh more with the member, or with what is new of it.
    private static long Growth(ConsumerGroup group, JoinRequest request, ConsumerSubscription subscription)
    {
        ConsumerMember? known = request.InstanceId is { } instanceId
            ? group.FindInstance(instanceId)
            : group.Find(request.MemberId);
        long brings = MemberWeight.Of(request.Protocols) + MemberWeight.Of(subscription.Topics);
        return known is null
            ? brings + MemberWeight.OfNames(request.MemberId, request.InstanceId, request.Client)
            : brings - ConsumerMember.WeightOf(known.Topics, known.Regex)
                - (known.Classic is null ? 0 : MemberWeight.Of(known.Classic.Protocols));
    }

    private static bool IsSomethingFree(ConsumerGroup group, ConsumerMember member) =>
        group.TargetOf(member).Any(p => !member.Assigned.Contains(p) && group.OwnerOf(p) is null);

    private static CoordinatorError Validate(ConsumerGroup group, in GroupMemberRef who, out ConsumerMember? member)
    {
        member = group.Find(who.MemberId);
        ConsumerMember? holder = who.InstanceId is null ? null : group.FindInstance(who.InstanceId);
        return who.InstanceId is not null && holder is not null && holder != member ? CoordinatorError.FencedInstanceId
            : member?.Classic is null ? CoordinatorError.UnknownMemberId
            : member.Epoch != who.Generation ? CoordinatorError.IllegalGeneration
            : CoordinatorError.None;
    }

    private ConsumerMember? Enter(
        ConsumerGroup group, JoinRequest request, out CoordinatorError error, out bool isNew)
    {
        error = CoordinatorError.None;
        isNew = false;
        if (group.Find(request.MemberId) is { } known)
        {
            error = known.InstanceId == request.InstanceId ? error : CoordinatorError.FencedInstanceId;
            return error == CoordinatorError.None ? known : null;
        }

        string memberId = request.MemberId.Length > 0
            ? request.MemberId
            : services.NewMemberId(request.InstanceId ?? request.Client.ClientId);
        ConsumerMember member = new(memberId) { InstanceId = request.InstanceId };
        if (request.InstanceId is not null && group.FindInstance(request.InstanceId) is { } holder)
        {
            error = request.MemberId.Length > 0 ? CoordinatorError.FencedInstanceId : error;
            if (error != CoordinatorError.None)
            {
                return null;
            }

            ConsumerMembers.Replace(group, holder, member);
            member.Topics = holder.Topics;
            return member;
        }

        if (group.Members.Count >= services.Options.MembersMax)
        {
            error = CoordinatorError.GroupMaxSizeReached;
            return null;
        }

        isNew = true;
        group.Add(member);
        return member;
    }

    private static void Update(ConsumerMember member, JoinRequest request, ConsumerSubscription subscription)
    {
        member.Client = request.Client;
        member.Topics = [.. subscription.Topics.Distinct()];
        member.Regex = null;
        member.RebalanceTimeoutMs = request.RebalanceTimeoutMs;
        member.Classic = new ClassicSide(request.SessionTimeoutMs, request.Protocols);
        member.IsChanged = true;
    }
}
