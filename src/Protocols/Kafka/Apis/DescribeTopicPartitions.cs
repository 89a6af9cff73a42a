using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeTopicPartitionsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeTopicPartitions: topics by name, in pages that a cursor continues.</summary>
internal static class DescribeTopicPartitionsApi
{
    private const int PartitionsPerAnswerMax = 2000;

    public static ValueTask<DescribeTopicPartitionsResponse?> HandleAsync(
        ApiCall call, DescribeTopicPartitionsRequest request)
    {
        KafkaSession session = call.Session;
        string from = request.Cursor?.TopicName ?? "";
        IEnumerable<string> names = request.Topics.Length > 0
            ? request.Topics.Select(t => t.Name)
            : session.Streams.All.Select(s => s.Name).Where(session.MaySee);
        string[] sorted =
            [.. names.Where(n => string.CompareOrdinal(n, from) >= 0).Distinct().Order(StringComparer.Ordinal)];
        int left = Math.Clamp(request.ResponsePartitionLimit, 1, PartitionsPerAnswerMax);
        var topics = new List<DescribeTopicPartitionsResponseTopic>();
        foreach (string name in sorted)
        {
            int first = request.Cursor is { } cursor && name == from ? Math.Max(0, cursor.PartitionIndex) : 0;
            if (left == 0)
            {
                return Answer(topics, new() { TopicName = name, PartitionIndex = first });
            }

            DescribeTopicPartitionsResponseTopic topic = Describe(session, name, first, left);
            topics.Add(topic);
            left -= topic.Partitions.Length;
            int next = first + topic.Partitions.Length;
            if (left == 0 && session.Streams.Find(name) is { } stream && next < stream.Partitions.Count)
            {
                return Answer(topics, new() { TopicName = name, PartitionIndex = next });
            }
        }

        return Answer(topics, null);
    }

    private static ValueTask<DescribeTopicPartitionsResponse?> Answer(
        List<DescribeTopicPartitionsResponseTopic> topics, Cursor? next) =>
        new(new DescribeTopicPartitionsResponse { Topics = [.. topics], NextCursor = next });

    private static DescribeTopicPartitionsResponseTopic Describe(
        KafkaSession session, string name, int first, int most)
    {
        RecordStream? stream = session.Streams.Find(name);
        bool maySee = session.MaySee(name);
        if (stream is null || !maySee)
        {
            ErrorCode error = maySee ? ErrorCode.UnknownTopicOrPartition : ErrorCode.TopicAuthorizationFailed;
            return new() { Name = name, ErrorCode = (short)error };
        }

        int[] self = [session.NodeId];
        return new()
        {
            Name = name,
            TopicId = stream.Id,
            IsInternal = stream.IsInternal,
            TopicAuthorizedOperations = AuthorizedOperations.OfTopic(session, name),
            Partitions =
            [
                .. stream.Partitions.Skip(first).Take(most).Select(p => new DescribeTopicPartitionsResponsePartition
                {
                    PartitionIndex = p.Number,
                    LeaderId = self[0],
                    LeaderEpoch = p.LeaderEpoch,
                    ReplicaNodes = self,
                    IsrNodes = self,
                    EligibleLeaderReplicas = [],
                    LastKnownElr = [],
                }),
            ],
        };
    }
}
