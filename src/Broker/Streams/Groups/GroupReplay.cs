using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Consumer;
using Pillarbox.Broker.Streams.Groups.Offsets;
using Pillarbox.Broker.Streams.Groups.Records;
using Pillarbox.Broker.Streams.Groups.Share;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>Makes the groups anew from what was written of them. A record that cannot be read is reported and left
/// out; everything else goes on.</summary>
internal sealed partial class GroupReplay(
    GroupTable groups, OffsetCommits offsets, ClassicRebalance rebalance, ConsumerMembers members,
    ShareHeartbeats shares, ILogger logger)
    : ICoordinatorReplay
{
    public void OnRecord(int partition, ProducerStamp producer, ReadOnlySpan<byte> key, byte[]? value)
    {
        try
        {
            Apply(producer, key, value);
        }
        catch (RecordFormatException e)
        {
            LogUnreadable(logger, partition, e.Message);
        }
    }

    public void OnMarker(int partition, ProducerStamp producer, bool committed) =>
        offsets.EndTransaction(partition, producer.Id, committed);

    /// <summary>Everything is read: members have one session's time to be heard of.</summary>
    public void Finish()
    {
        foreach (Group group in groups.All)
        {
            FinishMembers(group);
            foreach (ClassicMember member in group.Classic.Members)
            {
                rebalance.Touch(group, member);
            }
        }
    }

    private void FinishMembers(Group group)
    {
        shares.Restore(group);

        if (group.Consumer is not { } consumer)
        {
            return;
        }

        consumer.Changes.Clear();
        foreach (ConsumerMember member in consumer.Members)
        {
            member.IsChanged = false;
            member.HasMoved = false;
            members.Touch(group, member);
        }
    }

    private void Apply(ProducerStamp producer, ReadOnlySpan<byte> bytes, byte[]? value)
    {
        FieldSpan key = new(bytes);
        short kind = key.Short();
        string groupId = key.String();
        if (kind is 0 or GroupRecords.OffsetKey)
        {
            ApplyOffset(producer, groupId, new TopicPartition(key.String(), key.Int()), value);
        }
        else if (kind == GroupRecords.GroupKey)
        {
            ApplyClassic(groupId, value);
        }
        else if (kind is ConsumerRecords.GroupKey or ConsumerRecords.TargetKey)
        {
            ApplyConsumer(groupId, kind, value);
        }
        else if (kind is GroupConfigs.Key)
        {
            groups.Configs.Apply(groupId, value);
        }
        else if (kind is ShareRecords.GroupKey)
        {
            ApplyShare(groupId, value);
        }
        else if (kind is ShareRecords.MemberKey)
        {
            ApplyShareMember(groupId, key.String(), value);
        }
        else if (kind is ConsumerRecords.MemberKey or ConsumerRecords.MemberTargetKey or ConsumerRecords.CurrentKey)
        {
            ApplyMember(groupId, kind, key.String(), value);
        }
    }

    private void ApplyConsumer(string groupId, short kind, byte[]? value)
    {
        if (value is null)
        {
            if (groups.Find(groupId) is { } gone && kind == ConsumerRecords.GroupKey)
            {
                gone.Consumer = null;
                groups.RemoveIfUnused(gone);
            }

            return;
        }

        ConsumerGroup group = ConsumerOf(groupId);
        if (kind == ConsumerRecords.GroupKey)
        {
            ConsumerRecords.ReadEpoch(group, value);
        }
        else
        {
            group.AssignmentEpoch = ConsumerRecords.ReadTargetEpoch(value);
        }
    }

    private void ApplyShare(string groupId, byte[]? value)
    {
        if (value is not null)
        {
            Group group = groups.Restore(groupId);
            group.Share ??= new ShareGroup();
            group.Share.Epoch = ShareRecords.ReadEpoch(value);
        }
        else if (groups.Find(groupId) is { } gone)
        {
            gone.Share = null;
            groups.RemoveIfUnused(gone);
        }
    }

    private void ApplyShareMember(string groupId, string memberId, byte[]? value)
    {
        if (value is not null)
        {
            Group group = groups.Restore(groupId);
            group.Share ??= new ShareGroup();
            group.Share.Add(ShareRecords.ReadMember(memberId, value));
        }
        else if (groups.Find(groupId)?.Share is { } share && share.Find(memberId) is { } member)
        {
            share.Remove(member);
        }
    }

    private void ApplyMember(string groupId, short kind, string memberId, byte[]? value)
    {
        ConsumerGroup? group = value is null ? groups.Find(groupId)?.Consumer : ConsumerOf(groupId);
        ConsumerMember? member = group?.Find(memberId);
        if (group is null)
        {
            return;
        }

        switch (kind)
        {
            case ConsumerRecords.MemberKey:
                ReplaceMember(group, member, value is null ? null : ConsumerRecords.ReadMember(memberId, value));
                break;
            case ConsumerRecords.MemberTargetKey when value is null:
                group.Target.Remove(memberId);
                break;
            case ConsumerRecords.MemberTargetKey:
                group.Target[memberId] = ConsumerRecords.ReadTarget(value);
                break;
            case ConsumerRecords.CurrentKey when member is not null && value is not null:
                group.Release(member);
                ConsumerRecords.ReadCurrent(member, value);
                group.Take(member);
                break;
        }
    }

    // What a member has is kept when who it is is written again.
    private static void ReplaceMember(ConsumerGroup group, ConsumerMember? before, ConsumerMember? after)
    {
        HashSet<TopicIdPartition>? target = before is null ? null : group.TargetOf(before);
        if (before is not null)
        {
            group.Remove(before);
        }

        if (after is null)
        {
            return;
        }

        if (before is not null)
        {
            (after.Epoch, after.PreviousEpoch, after.State) = (before.Epoch, before.PreviousEpoch, before.State);
            (after.Assigned, after.Revoking) = (before.Assigned, before.Revoking);
            group.Target[after.Id] = target!;
        }

        group.Add(after);
    }

    private ConsumerGroup ConsumerOf(string groupId)
    {
        Group group = groups.Restore(groupId);
        return group.Consumer ??= new ConsumerGroup();
    }

    private void ApplyOffset(ProducerStamp producer, string groupId, TopicPartition partition, byte[]? value)
    {
        if (value is not null)
        {
            offsets.Apply(groups.Restore(groupId), producer, partition, GroupRecords.ReadOffset(value));
        }
        else if (groups.Find(groupId) is { } group)
        {
            group.Offsets.Remove(partition);
            groups.RemoveIfUnused(group);
        }
    }

    private void ApplyClassic(string groupId, byte[]? value)
    {
        if (value is not null)
        {
            groups.Restore(groupId).Classic = GroupRecords.ReadClassic(value);
        }
        else if (groups.Find(groupId) is { } group)
        {
            group.Classic = new ClassicGroup();
            groups.RemoveIfUnused(group);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Partition {Partition} of the groups' stream holds a record that is left out: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, int partition, string reason);
}
