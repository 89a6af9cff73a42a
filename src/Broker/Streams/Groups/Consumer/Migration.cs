using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>
/// Takes a group from one protocol to the other, online: the first member of the <c>consumer</c> protocol takes a
/// classic group of consumers along, and when the last one leaves, the classic ones get their own group back.
/// One owner: the loop.
/// </summary>
internal sealed class Migration
{
    private readonly GroupServices _services;
    private readonly ClassicRebalance _rebalance;

    public Migration(GroupServices services, ClassicRebalance rebalance, ConsumerMembers members)
    {
        _services = services;
        _rebalance = rebalance;
        members.Shrunk = AfterLeave;
    }

    /// <summary>A member of the <c>consumer</c> protocol wants in: the group speaks it afterwards, if it can.</summary>
    public void BeforeHeartbeat(Group owner)
    {
        ClassicGroup classic = owner.Classic;
        if (owner.Consumer is not null || owner.Share is not null || classic.Is(ClassicState.Dead))
        {
            return;
        }

        ConsumerGroup? group = classic.Members.Count == 0 ? new ConsumerGroup() : Upgrade(classic);
        if (group is null)
        {
            return;
        }

        _rebalance.Dissolve(owner, CoordinatorError.RebalanceInProgress);
        if (classic.Generation > 0)
        {
            group.Changes.First.Add(GroupRecords.ClassicGone(owner.Id));
        }

        owner.Classic = new ClassicGroup();
        owner.Consumer = group;
    }

    /// <summary>A classic member wants in: a group of the <c>consumer</c> protocol that nobody is in becomes a classic
    /// one.</summary>
    public void BeforeJoin(Group owner)
    {
        if (owner.Consumer is { Members.Count: 0 } group)
        {
            List<CoordinatorRecord> records = ConsumerRecords.Changes(owner.Id, group);
            records.AddRange(ConsumerRecords.Gone(owner.Id));
            if (_services.Write(owner, records))
            {
                owner.Consumer = null;
                owner.Classic = new ClassicGroup { Generation = group.Epoch };
            }
        }
    }

    // Only classic members are left: the group is theirs again, and they share anew.
    private void AfterLeave(Group owner)
    {
        ConsumerGroup group = owner.Consumer!;
        if (group.Members.Count == 0 || group.Members.Any(m => m.Classic is null))
        {
            return;
        }

        ClassicGroup classic = Downgrade(group);
        ConsumerMember[] members = [.. group.Members];
        foreach (ConsumerMember member in members)
        {
            group.Remove(member);
        }

        List<CoordinatorRecord> records = ConsumerRecords.Changes(owner.Id, group);
        records.AddRange(ConsumerRecords.Gone(owner.Id));
        owner.Consumer = null;
        owner.Classic = classic;
        records.Add(GroupRecords.Classic(owner, m => m.Assignment));
        // Refused: the next start finds the group as it was, and its members' sessions end there.
        _services.Write(owner, records);
        foreach (ClassicMember member in classic.Members)
        {
            _rebalance.Touch(owner, member);
        }

        _rebalance.Continue(owner);
    }

    private ConsumerGroup? Upgrade(ClassicGroup classic)
    {
        if (classic.ProtocolType != ConsumerProtocol.Type)
        {
            return null;
        }

        ConsumerGroup group = new()
        {
            Epoch = Math.Max(1, classic.Generation),
            AssignmentEpoch = Math.Max(1, classic.Generation),
        };
        foreach (ClassicMember old in classic.Members)
        {
            if (Upgrade(old, classic, group) is not { } member)
            {
                return null;
            }

            group.Add(member);
            group.Target[member.Id] = member.Assigned;
            group.Changes.Targets.Add(member.Id);
        }

        group.Changes.Epoch = true;
        group.Changes.Target = true;
        return group;
    }

    private ConsumerMember? Upgrade(ClassicMember old, ClassicGroup classic, ConsumerGroup group)
    {
        string? protocol = classic.Protocol ?? classic.SelectProtocol();
        ConsumerSubscription? subscription = ConsumerProtocol.ReadSubscription(old.MetadataOf(protocol));
        IReadOnlyList<TopicPartition>? assignment = ConsumerProtocol.ReadAssignment(
            old.Assignment, out bool hasUserData);
        return subscription is null || assignment is null || hasUserData ? null : new ConsumerMember(old.Id)
        {
            InstanceId = old.InstanceId,
            Client = old.Client,
            RebalanceTimeoutMs = old.RebalanceTimeoutMs,
            Topics = subscription.Topics,
            Classic = new ClassicSide(old.SessionTimeoutMs, old.Protocols),
            Epoch = group.Epoch,
            PreviousEpoch = group.Epoch,
            Assigned = ClassicInConsumer.ToIds(_services.Topics, assignment),
        };
    }

    private ClassicGroup Downgrade(ConsumerGroup group)
    {
        ClassicGroup classic = new()
        {
            // The one that members know: they hear of the next with their heartbeat, and are not fenced by it.
            Generation = group.Members.Max(m => m.Epoch),
            ProtocolType = ConsumerProtocol.Type,
            State = ClassicState.Stable,
            StateSinceMs = _services.NowMs,
        };
        foreach (ConsumerMember member in group.Members)
        {
            classic.Add(new ClassicMember(member.Id, member.InstanceId, member.Client)
            {
                RebalanceTimeoutMs = member.RebalanceTimeoutMs,
                SessionTimeoutMs = member.Classic!.SessionTimeoutMs,
                Protocols = member.Classic.Protocols,
                Assignment = ClassicInConsumer.AssignmentOf(_services.Topics, member),
            });
        }

        classic.Protocol = classic.SelectProtocol();
        return classic;
    }
}
