using Pillarbox.Broker.Streams.Groups.Classic;

namespace Pillarbox.Broker.Streams.Groups.Records;

/// <summary>
/// Records of classic groups and of offsets, as every tool of the field reads them from the offsets' stream.
/// <code>
/// key   version:2  0,1 = offset (group, topic, partition:4)   2 = group (group)
/// value version:2  offset: 3 = offset:8 leader-epoch:4 metadata commit-time:8   (0 to 2 and 4 are read)
///                  group: 3 = type generation:4 protocol leader state-time:8 members   (0 to 2 and 4 are read)
/// </code>
/// </summary>
internal static class GroupRecords
{
    public const short OffsetKey = 1;
    public const short GroupKey = 2;
    private const short OffsetVersion = 3;
    private const short OffsetVersionExpiring = 1;
    private const short GroupVersion = 3;
    private const short FlexibleVersion = 4;

    public static CoordinatorRecord Classic(Group group, Func<ClassicMember, byte[]> assignment)
    {
        ClassicGroup classic = group.Classic;
        FieldBuffer value = new FieldBuffer().Short(GroupVersion).String(classic.ProtocolType ?? "")
            .Int(classic.Generation).String(classic.Protocol).String(classic.LeaderId).Long(classic.StateSinceMs)
            .Int(classic.Members.Count);
        foreach (ClassicMember member in classic.Members)
        {
            value.String(member.Id).String(member.InstanceId).String(member.Client.ClientId)
                .String(member.Client.Host).Int(member.RebalanceTimeoutMs).Int(member.SessionTimeoutMs)
                .Bytes(member.MetadataOf(classic.Protocol)).Bytes(assignment(member));
        }

        return new CoordinatorRecord(ClassicKey(group.Id), value.ToArray());
    }

    public static CoordinatorRecord ClassicGone(string groupId) => new(ClassicKey(groupId), null);

    public static CoordinatorRecord Offset(string groupId, TopicPartition partition, in CommittedOffset offset)
    {
        FieldBuffer value = new();
        if (offset.ExpiresMs >= 0)
        {
            value.Short(OffsetVersionExpiring).Long(offset.Offset).String(offset.Metadata).Long(offset.CommittedMs)
                .Long(offset.ExpiresMs);
        }
        else
        {
            value.Short(OffsetVersion).Long(offset.Offset).Int(offset.LeaderEpoch).String(offset.Metadata)
                .Long(offset.CommittedMs);
        }

        return new CoordinatorRecord(KeyOf(groupId, partition), value.ToArray());
    }

    public static CoordinatorRecord OffsetGone(string groupId, TopicPartition partition) =>
        new(KeyOf(groupId, partition), null);

    public static CommittedOffset ReadOffset(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        short version = value.Short();
        long offset = value.Long();
        int leaderEpoch = version >= 3 ? value.Int() : -1;
        string metadata = version >= FlexibleVersion ? value.CompactString() : value.String();
        long committedMs = value.Long();
        return new CommittedOffset(offset, leaderEpoch, metadata, committedMs, version == 1 ? value.Long() : -1);
    }

    /// <summary>The group as it was written: what members there are lives on until their sessions end.</summary>
    public static ClassicGroup ReadClassic(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        short version = value.Short();
        bool compact = version >= FlexibleVersion;
        ClassicGroup group = new() { ProtocolType = compact ? value.CompactString() : value.String() };
        int generation = value.Int();
        group.Protocol = compact ? value.CompactNullableString() : value.NullableString();
        string? leader = compact ? value.CompactNullableString() : value.NullableString();
        group.StateSinceMs = version >= 2 ? value.Long() : -1;
        int members = compact ? value.CompactCount(6) : value.Count(12);
        for (int i = 0; i < members; i++)
        {
            group.Add(ReadMember(ref value, version, group.Protocol ?? ""));
        }

        group.Generation = generation;
        group.LeaderId = leader;
        group.State = members > 0 ? ClassicState.Stable : ClassicState.Empty;
        return group;
    }

    private static ClassicMember ReadMember(ref FieldSpan value, short version, string protocol)
    {
        bool compact = version >= FlexibleVersion;
        string id = compact ? value.CompactString() : value.String();
        string? instanceId = version < 3 ? null : compact ? value.CompactNullableString() : value.NullableString();
        string clientId = compact ? value.CompactString() : value.String();
        string host = compact ? value.CompactString() : value.String();
        int rebalanceTimeoutMs = version >= 1 ? value.Int() : -1;
        int sessionTimeoutMs = value.Int();
        byte[] metadata = compact ? value.CompactBytes() : value.Bytes();
        byte[] assignment = compact ? value.CompactBytes() : value.Bytes();
        if (compact)
        {
            value.Tags();
        }

        return new ClassicMember(id, instanceId, new GroupClient(clientId, host))
        {
            RebalanceTimeoutMs = rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
            SessionTimeoutMs = sessionTimeoutMs,
            Protocols = [new MemberProtocol(protocol, metadata)],
            Assignment = assignment,
        };
    }

    private static byte[] ClassicKey(string groupId) => new FieldBuffer().Short(GroupKey).String(groupId).ToArray();

    private static byte[] KeyOf(string groupId, TopicPartition partition) =>
        new FieldBuffer().Short(OffsetKey).String(groupId).String(partition.Topic).Int(partition.Partition).ToArray();
}
