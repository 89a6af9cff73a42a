using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>The life of a member: it comes, is heard of, goes or is given up. Writes what changed. One owner: the
/// loop.</summary>
internal sealed class ConsumerMembers(GroupServices services, ConsumerTargets targets)
{
    /// <summary>Called when a group has lost a member; the place to give it back to the classic protocol.</summary>
    public Action<Group>? Shrunk { get; set; }

    /// <summary>Everything that changed goes to disk; false when it is refused (and goes with the next).</summary>
    public bool Flush(Group owner)
    {
        ConsumerGroup group = owner.Consumer!;
        List<CoordinatorRecord> records = ConsumerRecords.Changes(owner.Id, group);
        if (records.Count == 0)
        {
            return true;
        }

        if (!services.Write(owner, records))
        {
            return false;
        }

        group.Changes.Clear();
        foreach (ConsumerMember member in group.Members)
        {
            member.IsChanged = false;
            member.HasMoved = false;
        }

        return true;
    }

    /// <summary>The target is due.</summary>
    public void Assign(Group owner)
    {
        if (owner.Consumer is not null)
        {
            targets.Update(owner, Assign);
            Flush(owner);
        }
    }

    /// <summary>A member is no longer there: its partitions are free, and the others share them.</summary>
    public void Remove(Group owner, ConsumerMember member)
    {
        ConsumerGroup group = owner.Consumer!;
        group.Remove(member);
        group.EmptySinceMs = group.Members.Count == 0 ? services.NowMs : -1;
        targets.LookAtTopics(group, subscriptionChanged: true);
        targets.Update(owner, Assign);
        Flush(owner);
        Shrunk?.Invoke(owner);
    }

    /// <summary>A static member is back under another id: it takes over what the one that is away had.</summary>
    public static void Replace(ConsumerGroup group, ConsumerMember away, ConsumerMember back)
    {
        HashSet<TopicIdPartition> target = group.TargetOf(away);
        group.Remove(away);
        back.Assigned = away.Assigned;
        group.Add(back);
        group.Target[back.Id] = target;
        group.Changes.Targets.Add(back.Id);
    }

    /// <summary>The session's time starts anew, and so does the time for giving partitions up when that has just
    /// begun.</summary>
    public void Touch(Group owner, ConsumerMember member)
    {
        int sessionMs = member.Classic?.SessionTimeoutMs
            ?? services.Configs.Of(owner.Id).ConsumerSessionTimeoutMs ?? services.Options.ConsumerSessionTimeoutMs;
        member.Session ??= new CoordinatorTimer(() => SessionOver(owner, member));
        services.Timers.Arm(member.Session, services.NowMs + sessionMs);
        if (member.State != MemberState.UnrevokedPartitions)
        {
            TimerHeap.Cancel(member.Revocation);
        }
        else if (member.Revocation?.IsArmed != true)
        {
            member.Revocation ??= new CoordinatorTimer(() => SessionOver(owner, member));
            services.Timers.Arm(member.Revocation, services.NowMs + member.RebalanceTimeoutMs);
        }
    }

    private void SessionOver(Group owner, ConsumerMember member)
    {
        if (owner.Consumer?.Find(member.Id) == member)
        {
            Remove(owner, member);
        }
    }
}
