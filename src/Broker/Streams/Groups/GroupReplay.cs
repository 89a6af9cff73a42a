using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Offsets;
using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>Makes the groups anew from what was written of them. A record that cannot be read is reported and left
/// out; everything else goes on.</summary>
internal sealed partial class GroupReplay(
    GroupTable groups, OffsetCommits offsets, ClassicRebalance rebalance, ILogger logger) : ICoordinatorReplay
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
            foreach (ClassicMember member in group.Classic.Members)
            {
                rebalance.Touch(group, member);
            }
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
    }

    private void ApplyOffset(ProducerStamp producer, string groupId, TopicPartition partition, byte[]? value)
    {
        if (value is not null)
        {
            offsets.Apply(groups.GetOrAdd(groupId)!, producer, partition, GroupRecords.ReadOffset(value));
        }
        else if (groups.Find(groupId) is { } group)
        {
            group.Offsets.Remove(partition);
            group.Offsets.RemovePending(partition);
            groups.RemoveIfUnused(group);
        }
    }

    private void ApplyClassic(string groupId, byte[]? value)
    {
        if (value is not null)
        {
            groups.GetOrAdd(groupId)!.Classic = GroupRecords.ReadClassic(value);
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
