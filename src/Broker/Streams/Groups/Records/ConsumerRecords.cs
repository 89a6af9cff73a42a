using Pillarbox.Broker.Streams.Groups.Consumer;

namespace Pillarbox.Broker.Streams.Groups.Records;

/// <summary>
/// Records of groups of the <c>consumer</c> protocol, in the compact encoding with tagged fields.
/// <code>
/// key  3 group                epoch:4                                 tag 0: hash of topics:8
///                                                                     tag 10000: empty since:8, if it is
/// key  5 group, member        instance rack client host topics[] regex rebalance:4 assignor
///                             tag 0: the classic protocols of the member
/// key  6 group                epoch:4 of the target
/// key  7 group, member        target [topic-id partitions[]]
/// key  8 group, member        epoch:4 previous:4 state:1 assigned[...] revoking[...]
/// </code>
/// </summary>
internal static class ConsumerRecords
{
    public const short GroupKey = 3;
    public const short MemberKey = 5;
    public const short TargetKey = 6;
    public const short MemberTargetKey = 7;
    public const short CurrentKey = 8;
    private const short Version = 0;

    public static byte[] KeyOf(short kind, string groupId) =>
        new FieldBuffer().Short(kind).String(groupId).ToArray();

    public static byte[] KeyOf(short kind, string groupId, string memberId) =>
        new FieldBuffer().Short(kind).String(groupId).String(memberId).ToArray();

    /// <summary>Everything of the group that is not yet written.</summary>
    public static List<CoordinatorRecord> Changes(string groupId, ConsumerGroup group)
    {
        List<CoordinatorRecord> records = [.. group.Changes.First];
        foreach (string memberId in group.Changes.Gone)
        {
            if (group.Find(memberId) is null)
            {
                records.Add(new CoordinatorRecord(KeyOf(CurrentKey, groupId, memberId), null));
                records.Add(new CoordinatorRecord(KeyOf(MemberTargetKey, groupId, memberId), null));
                records.Add(new CoordinatorRecord(KeyOf(MemberKey, groupId, memberId), null));
            }
        }

        records.AddRange(group.Members.Where(m => m.IsChanged)
            .Select(m => new CoordinatorRecord(KeyOf(MemberKey, groupId, m.Id), Member(m))));
        if (group.Changes.Epoch)
        {
            records.Add(new CoordinatorRecord(KeyOf(GroupKey, groupId), Epoch(group)));
        }

        foreach (string memberId in group.Changes.Targets)
        {
            if (group.Target.TryGetValue(memberId, out HashSet<TopicIdPartition>? target))
            {
                FieldBuffer value = new FieldBuffer().Short(Version);
                Partitions(value, target);
                records.Add(new CoordinatorRecord(
                    KeyOf(MemberTargetKey, groupId, memberId), value.NoTags().ToArray()));
            }
        }

        if (group.Changes.Target)
        {
            byte[] value = new FieldBuffer().Short(Version).Int(group.AssignmentEpoch).NoTags().ToArray();
            records.Add(new CoordinatorRecord(KeyOf(TargetKey, groupId), value));
        }

        records.AddRange(group.Members.Where(m => m.HasMoved)
            .Select(m => new CoordinatorRecord(KeyOf(CurrentKey, groupId, m.Id), Current(m))));
        return records;
    }

    /// <summary>The group is no more; its members went before.</summary>
    public static CoordinatorRecord[] Gone(string groupId) =>
        [new(KeyOf(TargetKey, groupId), null), new(KeyOf(GroupKey, groupId), null)];

    public static ConsumerMember ReadMember(string memberId, ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        string? instanceId = value.CompactNullableString();
        ConsumerMember member = new(memberId)
        {
            InstanceId = instanceId,
            RackId = value.CompactNullableString(),
            Client = new GroupClient(value.CompactString(), value.CompactString()),
            Topics = ReadNames(ref value),
            Regex = value.CompactNullableString(),
            RebalanceTimeoutMs = value.Int(),
            Assignor = value.CompactNullableString(),
        };
        TagList tags = value.Tags();
        member.Classic = tags.First.IsEmpty ? null : ReadClassic(tags.First);
        return member;
    }

    public static void ReadEpoch(ConsumerGroup group, ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        group.Epoch = value.Int();
        TagList tags = value.Tags();
        group.TopicsHash = tags.First.IsEmpty ? 0 : new FieldSpan(tags.First).Long();
        group.EmptySinceMs = tags.Own.IsEmpty ? -1 : new FieldSpan(tags.Own).Long();
    }

    public static int ReadTargetEpoch(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        return value.Int();
    }

    public static HashSet<TopicIdPartition> ReadTarget(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        return ReadPartitions(ref value);
    }

    public static void ReadCurrent(ConsumerMember member, ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        member.Epoch = value.Int();
        member.PreviousEpoch = value.Int();
        member.State = (MemberState)value.Byte();
        member.Assigned = ReadPartitions(ref value);
        member.Revoking = ReadPartitions(ref value);
    }

    private static byte[] Epoch(ConsumerGroup group)
    {
        bool isEmpty = group.EmptySinceMs >= 0;
        FieldBuffer value = new FieldBuffer().Short(Version).Int(group.Epoch).Unsigned(isEmpty ? 2u : 1u)
            .Tag(0, new FieldBuffer().Long(group.TopicsHash));
        return isEmpty
            ? value.Tag(TagList.OwnTag, new FieldBuffer().Long(group.EmptySinceMs)).ToArray()
            : value.ToArray();
    }

    private static byte[] Member(ConsumerMember member)
    {
        FieldBuffer value = new FieldBuffer().Short(Version).CompactString(member.InstanceId)
            .CompactString(member.RackId).CompactString(member.Client.ClientId).CompactString(member.Client.Host)
            .CompactCount(member.Topics.Count);
        foreach (string topic in member.Topics)
        {
            value.CompactString(topic);
        }

        value.CompactString(member.Regex).Int(member.RebalanceTimeoutMs).CompactString(member.Assignor);
        return member.Classic is not { } classic
            ? value.NoTags().ToArray()
            : value.Unsigned(1).Tag(0, Classic(classic)).ToArray();
    }

    // A nullable struct in a tag begins with whether it is there.
    private static FieldBuffer Classic(ClassicSide classic)
    {
        FieldBuffer value = new FieldBuffer().Byte(1).Int(classic.SessionTimeoutMs)
            .CompactCount(classic.Protocols.Count);
        foreach (MemberProtocol protocol in classic.Protocols)
        {
            value.CompactString(protocol.Name).CompactBytes(protocol.Metadata).NoTags();
        }

        return value.NoTags();
    }

    private static ClassicSide? ReadClassic(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        if ((sbyte)value.Byte() < 0)
        {
            return null;
        }

        int sessionTimeoutMs = value.Int();
        MemberProtocol[] protocols = new MemberProtocol[value.CompactCount(3)];
        for (int i = 0; i < protocols.Length; i++)
        {
            protocols[i] = new MemberProtocol(value.CompactString(), value.CompactBytes());
            value.Tags();
        }

        return new ClassicSide(sessionTimeoutMs, protocols);
    }

    private static byte[] Current(ConsumerMember member)
    {
        FieldBuffer value = new FieldBuffer().Short(Version).Int(member.Epoch).Int(member.PreviousEpoch)
            .Byte((byte)member.State);
        Partitions(value, member.Assigned);
        Partitions(value, member.Revoking);
        return value.NoTags().ToArray();
    }

    private static void Partitions(FieldBuffer value, HashSet<TopicIdPartition> partitions)
    {
        var topics = partitions.GroupBy(p => p.TopicId, p => p.Partition).ToList();
        value.CompactCount(topics.Count);
        foreach (var topic in topics)
        {
            value.Uuid(topic.Key).CompactCount(topic.Count());
            foreach (int partition in topic.Order())
            {
                value.Int(partition);
            }

            value.NoTags();
        }
    }

    private static HashSet<TopicIdPartition> ReadPartitions(ref FieldSpan value)
    {
        HashSet<TopicIdPartition> partitions = [];
        int topics = value.CompactCount(18);
        for (int i = 0; i < topics; i++)
        {
            Guid topic = value.Uuid();
            int count = value.CompactCount(4);
            for (int j = 0; j < count; j++)
            {
                partitions.Add(new TopicIdPartition(topic, value.Int()));
            }

            value.Tags();
        }

        return partitions;
    }

    private static string[] ReadNames(ref FieldSpan value)
    {
        string[] names = new string[value.CompactCount(1)];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = value.CompactString();
        }

        return names;
    }
}
