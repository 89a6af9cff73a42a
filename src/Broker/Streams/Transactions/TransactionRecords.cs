using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>
/// Records of the transactions' stream, as the field's tools read them.
/// <code>
/// key   version:2 = 0  transactional id
/// value version:2 = 1  producer-id:8 epoch:2 time-out:4 state:1 partitions[topic partitions[]] updated:8 started:8
///                      tags: 0 previous id  1 next id  2 client's version (0 is read too)
/// key   version:2 = 1000 (our own)  value: the first producer id that is not yet reserved:8
/// </code>
/// </summary>
internal static class TransactionRecords
{
    public const short TransactionKey = 0;
    public const short ProducerIdsKey = 1000;
    private const short FlexibleVersion = 1;

    public static byte[] KeyOf(string transactionalId) =>
        new FieldBuffer().Short(TransactionKey).String(transactionalId).ToArray();

    public static CoordinatorRecord ProducerIds(long next) =>
        new(new FieldBuffer().Short(ProducerIdsKey).ToArray(), new FieldBuffer().Long(next).ToArray());

    public static CoordinatorRecord Write(string transactionalId, TransactionSnapshot snapshot)
    {
        FieldBuffer value = new FieldBuffer().Short(FlexibleVersion).Long(snapshot.Producer.Id)
            .Short(snapshot.Producer.Epoch).Int(snapshot.TimeoutMs).Byte((byte)snapshot.State);
        WritePartitions(value, snapshot);
        value.Long(snapshot.UpdatedMs).Long(snapshot.StartedMs);
        int tags = (snapshot.PreviousId >= 0 ? 1 : 0) + (snapshot.NextId >= 0 ? 1 : 0)
            + (snapshot.ClientVersion != 0 ? 1 : 0);
        value.Unsigned((uint)tags);
        if (snapshot.PreviousId >= 0)
        {
            value.Tag(0, new FieldBuffer().Long(snapshot.PreviousId));
        }

        if (snapshot.NextId >= 0)
        {
            value.Tag(1, new FieldBuffer().Long(snapshot.NextId));
        }

        if (snapshot.ClientVersion != 0)
        {
            value.Tag(2, new FieldBuffer().Short(snapshot.ClientVersion));
        }

        return new CoordinatorRecord(KeyOf(transactionalId), value.ToArray());
    }

    public static TransactionSnapshot Read(ReadOnlySpan<byte> bytes)
    {
        FieldSpan value = new(bytes);
        bool compact = value.Short() >= FlexibleVersion;
        long producerId = value.Long();
        TransactionSnapshot snapshot = new()
        {
            Producer = new ProducerStamp(producerId, value.Short()),
            TimeoutMs = value.Int(),
            State = (TransactionState)value.Byte(),
            Partitions = ReadPartitions(ref value, compact),
            UpdatedMs = value.Long(),
            StartedMs = value.Long(),
        };
        if (!compact)
        {
            return snapshot;
        }

        TagList tags = value.Tags();
        return snapshot with
        {
            PreviousId = tags.First.IsEmpty ? -1 : new FieldSpan(tags.First).Long(),
            NextId = tags.Second.IsEmpty ? -1 : new FieldSpan(tags.Second).Long(),
            ClientVersion = tags.Third.IsEmpty ? (short)0 : new FieldSpan(tags.Third).Short(),
        };
    }

    private static void WritePartitions(FieldBuffer value, TransactionSnapshot snapshot)
    {
        if (snapshot.State is TransactionState.Empty or TransactionState.CompleteCommit
            or TransactionState.CompleteAbort)
        {
            value.Unsigned(0);
            return;
        }

        var topics = snapshot.Partitions.GroupBy(p => p.Topic, p => p.Partition).ToList();
        value.CompactCount(topics.Count);
        foreach (var topic in topics)
        {
            value.CompactString(topic.Key).CompactCount(topic.Count());
            foreach (int partition in topic)
            {
                value.Int(partition);
            }

            value.NoTags();
        }
    }

    private static HashSet<TopicPartition> ReadPartitions(ref FieldSpan value, bool compact)
    {
        HashSet<TopicPartition> partitions = [];
        int topics = compact ? value.CompactCount(3) : value.NullableCount(6);
        for (int i = 0; i < topics; i++)
        {
            string topic = compact ? value.CompactString() : value.String();
            int count = compact ? value.CompactCount(4) : value.Count(4);
            for (int j = 0; j < count; j++)
            {
                partitions.Add(new TopicPartition(topic, value.Int()));
            }

            if (compact)
            {
                value.Tags();
            }
        }

        return partitions;
    }
}
