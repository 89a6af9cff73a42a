namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>
/// Brings a member from what it has to what it should have, a step with every heartbeat:
/// <code>
/// Stable --target takes partitions away--> UnrevokedPartitions --member says they are gone--> next step
/// next step: nothing left to take, something free to give    --> Stable, or UnreleasedPartitions when others
///            still have part of the target; each heartbeat looks again
/// </code>
/// Pure, over one group.
/// </summary>
internal static class Reconciliation
{
    /// <param name="group">The group.</param>
    /// <param name="member">Who is here.</param>
    /// <param name="owned">What it says it has; null = as before.</param>
    public static void Step(ConsumerGroup group, ConsumerMember member, IReadOnlyCollection<TopicIdPartition>? owned)
    {
        switch (member.State)
        {
            case MemberState.Stable when member.Epoch == group.AssignmentEpoch:
                return;
            case MemberState.UnrevokedPartitions when owned is null || owned.Any(member.Revoking.Contains):
                return;
            default:
                Next(group, member, owned);
                return;
        }
    }

    private static void Next(
        ConsumerGroup group, ConsumerMember member, IReadOnlyCollection<TopicIdPartition>? owned)
    {
        HashSet<TopicIdPartition> target = group.TargetOf(member);
        HashSet<TopicIdPartition> kept = [.. member.Assigned.Where(target.Contains)];
        HashSet<TopicIdPartition> leaving = [.. member.Assigned.Where(p => !target.Contains(p))];
        group.Release(member);
        bool mustRevoke = leaving.Count > 0 && (owned is null || owned.Any(leaving.Contains));
        if (mustRevoke)
        {
            Move(member, MemberState.UnrevokedPartitions, member.Epoch, kept, leaving);
        }
        else
        {
            HashSet<TopicIdPartition> free = [.. target.Where(p => !kept.Contains(p) && group.OwnerOf(p) is null)];
            bool waits = kept.Count + free.Count < target.Count;
            kept.UnionWith(free);
            MemberState state = waits ? MemberState.UnreleasedPartitions : MemberState.Stable;
            Move(member, state, group.AssignmentEpoch, kept, []);
        }

        group.Take(member);
    }

    private static void Move(
        ConsumerMember member, MemberState state, int epoch, HashSet<TopicIdPartition> assigned,
        HashSet<TopicIdPartition> revoking)
    {
        bool same = member.State == state && member.Epoch == epoch && member.Assigned.SetEquals(assigned)
            && member.Revoking.SetEquals(revoking);
        if (same)
        {
            return;
        }

        if (member.Epoch != epoch)
        {
            member.PreviousEpoch = member.Epoch;
            member.Epoch = epoch;
        }

        member.State = state;
        member.Assigned = assigned;
        member.Revoking = revoking;
        member.HasMoved = true;
    }
}
