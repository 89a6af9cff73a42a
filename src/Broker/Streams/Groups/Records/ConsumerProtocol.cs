namespace Pillarbox.Broker.Streams.Groups.Records;

/// <summary>A consumer's subscription inside of a classic member's metadata.</summary>
/// <param name="Topics">The topics by name.</param>
/// <param name="Owned">What it has at present; empty in version 0.</param>
internal sealed record ConsumerSubscription(IReadOnlyList<string> Topics, IReadOnlyList<TopicPartition> Owned);

/// <summary>
/// The format that consumers of classic groups put into their metadata and assignments. Versions 0 to 3 are read.
/// <code>
/// subscription  version:2 topics[] user-data  1+: owned[topic partitions[]]  2+: generation:4  3+: rack
/// assignment    version:2 assigned[topic partitions[]] user-data
/// </code>
/// </summary>
internal static class ConsumerProtocol
{
    /// <summary>The protocol type of groups whose members are consumers.</summary>
    public const string Type = "consumer";

    private const short AssignmentVersion = 3;

    /// <summary>Null when the bytes are not a subscription.</summary>
    public static ConsumerSubscription? ReadSubscription(ReadOnlySpan<byte> bytes)
    {
        try
        {
            FieldSpan fields = new(bytes);
            short version = fields.Short();
            string[] topics = new string[fields.Count(2)];
            for (int i = 0; i < topics.Length; i++)
            {
                topics[i] = fields.String();
            }

            // Sticky assignors note here what they had; a group that assigns by itself knows that.
            fields.Bytes();
            List<TopicPartition> owned = version >= 1 ? ReadPartitions(ref fields) : [];
            return version < 0 ? null : new ConsumerSubscription(topics, owned);
        }
        catch (RecordFormatException)
        {
            return null;
        }
    }

    /// <summary>Null when the bytes are not an assignment. <paramref name="hasUserData"/>: there is something in it
    /// that only its own assignor understands.</summary>
    public static IReadOnlyList<TopicPartition>? ReadAssignment(ReadOnlySpan<byte> bytes, out bool hasUserData)
    {
        hasUserData = false;
        if (bytes.IsEmpty)
        {
            return [];
        }

        try
        {
            FieldSpan fields = new(bytes);
            if (fields.Short() < 0)
            {
                return null;
            }

            List<TopicPartition> partitions = ReadPartitions(ref fields);
            hasUserData = fields.Bytes().Length > 0;
            return partitions;
        }
        catch (RecordFormatException)
        {
            return null;
        }
    }

    public static byte[] WriteAssignment(IEnumerable<IGrouping<string, int>> topics)
    {
        List<IGrouping<string, int>> list = [.. topics];
        FieldBuffer fields = new FieldBuffer().Short(AssignmentVersion).Int(list.Count);
        foreach (IGrouping<string, int> topic in list)
        {
            fields.String(topic.Key).Int(topic.Count());
            foreach (int partition in topic)
            {
                fields.Int(partition);
            }
        }

        return fields.Int(-1).ToArray();
    }

    private static List<TopicPartition> ReadPartitions(ref FieldSpan fields)
    {
        List<TopicPartition> partitions = [];
        int topics = fields.Count(6);
        for (int i = 0; i < topics; i++)
        {
            string topic = fields.String();
            int count = fields.Count(4);
            for (int j = 0; j < count; j++)
            {
                partitions.Add(new TopicPartition(topic, fields.Int()));
            }
        }

        return partitions;
    }
}
