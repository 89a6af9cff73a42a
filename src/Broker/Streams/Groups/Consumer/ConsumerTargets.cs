namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>Makes the target of a group whenever its epoch has grown, but not more often than allowed. One owner: the
/// loop.</summary>
internal sealed class ConsumerTargets(GroupServices services, Subscriptions subscriptions)
{
    /// <summary>Looks whether the topics that the group reads are still the same, and bumps the epoch if not.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="subscriptionChanged">A member reads by other names or expressions, or is another one.</param>
    /// <param name="rightsChanged">A member's user may know of other topics than before.</param>
    public void LookAtTopics(ConsumerGroup group, bool subscriptionChanged, bool rightsChanged = false)
    {
        long version = services.Topics.Version;
        bool isSame = version == group.TopicsVersion && !rightsChanged;
        if (!subscriptionChanged && (isSame || group.WaitsForUsers))
        {
            return;
        }

        group.TopicsVersion = version;
        long hash = subscriptions.HashOf(group);
        if (hash != group.TopicsHash || subscriptionChanged)
        {
            group.TopicsHash = hash;
            group.Bump();
        }
    }

    /// <summary>Makes a new target if one is needed and the last is old enough; else sees to it that it is made
    /// later, by calling <paramref name="later"/>.</summary>
    public void Update(Group owner, Action<Group> later)
    {
        ConsumerGroup group = owner.Consumer!;
        if (group.Epoch <= group.AssignmentEpoch)
        {
            return;
        }

        long dueMs = group.AssignedMs + services.Options.AssignmentIntervalMs;
        if (dueMs <= services.NowMs)
        {
            Assign(group);
            return;
        }

        group.AssignTimer ??= new CoordinatorTimer(() => later(owner));
        services.Timers.Arm(group.AssignTimer, dueMs);
    }

    private void Assign(ConsumerGroup group)
    {
        Dictionary<Guid, int> topics = [];
        List<AssignedMember> members = [];
        foreach (ConsumerMember member in group.Members)
        {
            HashSet<Guid> ids = [];
            foreach (TopicInfo topic in subscriptions.TopicsOf(group, member))
            {
                topics[topic.Id] = topic.PartitionCount;
                ids.Add(topic.Id);
            }

            string order = member.InstanceId ?? member.Id;
            members.Add(new AssignedMember(member.Id, order, ids, group.TargetOf(member)));
        }

        group.Assignor = AssignorOf(group);
        var target = Assignors.Assign(group.Assignor, members, topics);
        foreach ((string memberId, HashSet<TopicIdPartition> partitions) in target)
        {
            if (!group.Target.TryGetValue(memberId, out HashSet<TopicIdPartition>? before)
                || !before.SetEquals(partitions))
            {
                group.Target[memberId] = partitions;
                group.Changes.Targets.Add(memberId);
            }
        }

        group.AssignmentEpoch = group.Epoch;
        group.AssignedMs = services.NowMs;
        group.Changes.Target = true;
    }

    // What most members want; uniform when nobody says.
    private static string AssignorOf(ConsumerGroup group) =>
        group.Members.Where(m => m.Assignor is not null).GroupBy(m => m.Assignor!)
            .OrderByDescending(g => g.Count()).ThenByDescending(g => g.Key, StringComparer.Ordinal)
            .FirstOrDefault()?.Key ?? Assignors.Uniform;
}
