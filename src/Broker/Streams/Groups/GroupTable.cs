using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Consumer;
using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>All groups, and what depends on which protocol a group speaks. One owner: the loop.</summary>
internal sealed class GroupTable(GroupServices services, ClassicRebalance rebalance, Subscriptions subscriptions)
{
    // Offsets of one group that one batch of records forgets.
    private const int RemovedAtOnceMax = 5_000;

    private static readonly HashSet<string> NoTopics = [];
    private readonly Dictionary<string, Group> _groups = [];

    public IReadOnlyCollection<Group> All => _groups.Values;

    /// <summary>What groups are given, whether they are there or not.</summary>
    public GroupConfigs Configs => services.Configs;

    public Group? Find(string groupId) => _groups.GetValueOrDefault(groupId);

    /// <summary>The group, made when there is none; null when there are too many.</summary>
    public Group? GetOrAdd(string groupId)
    {
        bool hasRoom = _groups.ContainsKey(groupId)
            || (_groups.Count < services.Options.GroupsMax && services.Memory.HasRoom(groupId));
        return hasRoom ? Restore(groupId) : null;
    }

    /// <summary>The group, made when there is none: what is on disk is not dropped when a limit is lowered.</summary>
    public Group Restore(string groupId)
    {
        if (!_groups.TryGetValue(groupId, out Group? group))
        {
            group = new Group(groupId, services.Store.PartitionOf(groupId), services.OffsetMemory);
            _groups.Add(groupId, group);
            services.Memory.Count(group);
        }

        return group;
    }

    public void Remove(Group group)
    {
        group.Classic.State = ClassicState.Dead;
        _groups.Remove(group.Id);
        services.Memory.Forget(group);
        group.Offsets.Clear();
    }

    /// <summary>Forgets a group that was made for a request which did not use it.</summary>
    public void RemoveIfUnused(Group group)
    {
        if (group.IsBlank)
        {
            Remove(group);
        }
    }

    /// <summary>Forgets a group that has neither members nor offsets.</summary>
    public void RemoveIfOver(Group group)
    {
        if (IsEmpty(group) && group.Classic.PendingCount == 0 && group.Offsets.IsEmpty && !group.Offsets.HasPending
            && group.Share is null && services.Write(group, Tombstones(group)))
        {
            Remove(group);
        }
    }

    /// <summary>Deletes a group with all that is known of it, if nobody is in it.</summary>
    public CoordinatorError Delete(string groupId)
    {
        Group? group = Find(groupId);
        if (group is null || group.Classic.Is(ClassicState.Dead))
        {
            return CoordinatorError.GroupIdNotFound;
        }

        if (!IsEmpty(group))
        {
            return CoordinatorError.NonEmptyGroup;
        }

        // The offsets of open transactions too: else the next start would find a group of those alone.
        if (!RemoveOffsets(group, [.. group.Offsets.Partitions]) || !services.Write(group, Tombstones(group)))
        {
            return CoordinatorError.CoordinatorNotAvailable;
        }

        Remove(group);
        return CoordinatorError.None;
    }

    /// <summary>Forgets offsets, on disk and here, also those that open transactions would commit. False: not all, for
    /// the log takes nothing now.</summary>
    public bool RemoveOffsets(Group group, IReadOnlyList<TopicPartition> partitions)
    {
        foreach (TopicPartition[] part in partitions.Chunk(RemovedAtOnceMax))
        {
            if (!services.Write(group, Array.ConvertAll(part, p => GroupRecords.OffsetGone(group.Id, p))))
            {
                return false;
            }

            Array.ForEach(part, group.Offsets.Remove);
        }

        return true;
    }

    public static bool IsEmpty(Group group) =>
        group.Classic.Members.Count == 0 && group.Consumer?.Members.Count is not > 0
        && group.Share?.Members.Count is not > 0;

    /// <summary>Whether the members' metadata says what they read.</summary>
    public static bool TellsSubscriptions(Group group) =>
        group.Consumer is not null || group.Classic.ProtocolType == ConsumerProtocol.Type;

    public static GroupListing Listing(Group group) => group.Consumer is { } consumer
        ? new(group.Id, group.Type, ConsumerProtocol.Type, consumer.State)
        : group.Share is { } share
        ? new(group.Id, group.Type, "share", share.State)
        : new(group.Id, group.Type, group.Classic.ProtocolType ?? "", group.Classic.State.ToString());

    /// <summary>The topics that the members read; null when that cannot be known.</summary>
    public IReadOnlySet<string>? SubscribedTopics(Group group)
    {
        if (group.Consumer is { } consumer)
        {
            return consumer.Members.SelectMany(m => subscriptions.TopicsOf(consumer, m)).Select(t => t.Name)
                .ToHashSet();
        }

        ClassicGroup classic = group.Classic;
        if (classic.ProtocolType != ConsumerProtocol.Type || classic.Members.Count == 0)
        {
            return NoTopics;
        }

        HashSet<string> topics = [];
        foreach (ClassicMember member in classic.Members)
        {
            byte[] metadata = member.MetadataOf(classic.Protocol ?? member.Protocols[0].Name);
            if (ConsumerProtocol.ReadSubscription(metadata) is not { } subscription)
            {
                return null;
            }

            topics.UnionWith(subscription.Topics);
        }

        return topics;
    }

    /// <summary>The offsets that nobody needs any more.</summary>
    public TopicPartition[] Expired(Group group)
    {
        bool readersCount = group.Consumer is not null || group.Classic.Members.Count > 0;
        bool mayExpire = !readersCount || group.Consumer is not null
            || (group.Classic.ProtocolType == ConsumerProtocol.Type && group.Classic.Is(ClassicState.Stable));
        IReadOnlySet<string>? subscribed = mayExpire ? SubscribedTopics(group) : null;
        return subscribed is null
            ? []
            : [.. group.Offsets.All.Where(o => !subscribed.Contains(o.Partition.Topic)
                && !group.Offsets.IsPending(o.Partition) && IsOver(group, o.Offset)).Select(o => o.Partition)];
    }

    private bool IsOver(Group group, in CommittedOffset offset)
    {
        ClassicGroup classic = group.Classic;
        bool hadMembers = classic.Is(ClassicState.Empty) && !string.IsNullOrEmpty(classic.ProtocolType);
        long emptySinceMs = group.Consumer is { Members.Count: 0 } consumer ? consumer.EmptySinceMs
            : hadMembers ? classic.StateSinceMs
            : -1;
        return services.NowMs >= (offset.ExpiresMs >= 0
            ? offset.ExpiresMs
            : Math.Max(offset.CommittedMs, emptySinceMs) + services.Options.OffsetRetentionMs);
    }

    /// <summary>Whether who names itself a member of a <c>consumer</c> group is one, of this epoch.</summary>
    public static CoordinatorError Validate(ConsumerGroup group, in GroupMemberRef who)
    {
        if (who.Generation < 0 && who.MemberId.Length == 0 && group.Members.Count == 0)
        {
            return CoordinatorError.None;
        }

        ConsumerMember? member = group.Find(who.MemberId);
        return member is null ? CoordinatorError.UnknownMemberId
            : member.Epoch == who.Generation ? CoordinatorError.None
            : member.Classic is not null ? CoordinatorError.IllegalGeneration
            : CoordinatorError.StaleMemberEpoch;
    }

    /// <summary>A commit is a sign of life.</summary>
    public void Touch(Group group, in GroupMemberRef who)
    {
        if (group.Classic.Find(who.MemberId) is { } member)
        {
            rebalance.Touch(group, member);
        }
    }

    private static List<CoordinatorRecord> Tombstones(Group group) => group.Consumer is { } consumer
        ? [.. ConsumerRecords.Changes(group.Id, consumer), .. ConsumerRecords.Gone(group.Id)]
        : group.Share is not null ? [ShareRecords.GroupGone(group.Id)]
        : [GroupRecords.ClassicGone(group.Id)];
}
