using Pillarbox.Broker.Streams.Groups.Share;

namespace Pillarbox.Broker.Streams.Groups.Records;

/// <summary>
/// Records of share groups. Members and epochs stand in the groups' stream; where a group is in a partition stands in
/// a stream of its own, always whole, so that the last record of a key says everything.
/// <code>
/// key 10 group, member   rack client host topics[]
/// key 11 group           epoch:4   tag 0: hash of topics:8
/// key 0  group, topic-id, partition:4
///        snapshot:4 state-epoch:4 leader-epoch:4 start:8 created:8 written:8 [first:8 last:8 state:1 count:2]
/// </code>
/// </summary>
internal static class ShareRecords
{
    public const short MemberKey = 10;
    public const short GroupKey = 11;
    public const short StateKey = 0;
    private const short Version = 0;
    private const int RangeBytes = 20;

    public static CoordinatorRecord Member(string groupId, ShareMember member)
    {
        FieldBuffer value = new FieldBuffer().Short(Version).CompactString(member.RackId)
            .CompactString(member.Client.ClientId).CompactString(member.Client.Host).CompactCount(member.Topics.Count);
        foreach (string topic in member.Topics)
        {
            value.CompactString(topic);
        }

        return new CoordinatorRecord(
            ConsumerRecords.KeyOf(MemberKey, groupId, member.Id), value.NoTags().ToArray());
    }

    public static CoordinatorRecord MemberGone(string groupId, string memberId) =>
        new(ConsumerRecords.KeyOf(MemberKey, groupId, memberId), null);

    public static CoordinatorRecord Group(string groupId, ShareGroup group)
    {
        FieldBuffer value = new FieldBuffer().Short(Version).Int(group.Epoch).Unsigned(1)
            .Tag(0, new FieldBuffer().Long(group.TopicsHash));
        return new CoordinatorRecord(ConsumerRecords.KeyOf(GroupKey, groupId), value.ToArray());
    }

    public static CoordinatorRecord GroupGone(string groupId) => new(ConsumerRecords.KeyOf(GroupKey, groupId), null);

    public static ShareMember ReadMember(string memberId, ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        ShareMember member = new(memberId)
        {
            RackId = value.CompactNullableString(),
            Client = new GroupClient(value.CompactString(), value.CompactString()),
        };
        string[] topics = new string[value.CompactCount(1)];
        for (int i = 0; i < topics.Length; i++)
        {
            topics[i] = value.CompactString();
        }

        member.Topics = topics;
        return member;
    }

    public static int ReadEpoch(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        return value.Int();
    }

    public static CoordinatorRecord State(in SharePartitionKey key, SharePartition state, int writes, long nowMs)
    {
        List<ShareRange> ranges = state.Export();
        FieldBuffer value = new FieldBuffer().Short(Version).Int(writes).Int(0).Int(0).Long(state.StartOffset)
            .Long(nowMs).Long(nowMs).CompactCount(ranges.Count);
        foreach (ShareRange range in ranges)
        {
            value.Long(range.First).Long(range.Last).Byte((byte)range.State).Short(range.DeliveryCount).NoTags();
        }

        return new CoordinatorRecord(KeyOf(key), value.NoTags().ToArray());
    }

    public static CoordinatorRecord StateGone(in SharePartitionKey key) => new(KeyOf(key), null);

    /// <summary>False when the key is of another kind.</summary>
    public static bool TryReadKey(ReadOnlySpan<byte> bytes, out SharePartitionKey key)
    {
        FieldSpan fields = new(bytes);
        bool known = fields.Short() == StateKey;
        key = known
            ? new SharePartitionKey(fields.String(), new TopicIdPartition(fields.Uuid(), fields.Int()))
            : default;
        return known;
    }

    public static SharePartition ReadState(ReadOnlySpan<byte> bytes, ShareOptions options)
    {
        FieldSpan value = new(bytes);
        value.Short();
        value.Int();
        value.Int();
        value.Int();
        SharePartition state = new(value.Long(), options);
        value.Long();
        value.Long();
        int ranges = value.CompactCount(RangeBytes);
        for (int i = 0; i < ranges; i++)
        {
            ShareRange range = new(value.Long(), value.Long(), (ShareState)value.Byte(), value.Short());
            value.Tags();
            if (range.First < state.EndOffset || range.Last < range.First
                || range.Last - range.First > options.InFlightMax)
            {
                throw new RecordFormatException("the runs of a share partition are out of order");
            }

            state.Import(range);
        }

        return state;
    }

    private static byte[] KeyOf(in SharePartitionKey key) => new FieldBuffer().Short(StateKey).String(key.GroupId)
        .Uuid(key.Partition.TopicId).Int(key.Partition.Partition).ToArray();
}
