using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeShareGroupOffsetsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeShareGroupOffsetsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeShareGroupOffsets: from where on share groups have work, in the partitions named or in all that
/// they read. The lag counts every record from there on, also those that are done with out of order.</summary>
internal static class DescribeShareGroupOffsetsApi
{
    public static async ValueTask<DescribeShareGroupOffsetsResponse?> HandleAsync(
        ApiCall call, DescribeShareGroupOffsetsRequest request)
    {
        var groups = new DescribeShareGroupOffsetsResponseGroup[request.Groups.Length];
        for (int i = 0; i < groups.Length; i++)
        {
            groups[i] = await DescribeAsync(call.Session, request.Groups[i]);
        }

        return new DescribeShareGroupOffsetsResponse { Groups = groups };
    }

    private static async ValueTask<DescribeShareGroupOffsetsResponseGroup> DescribeAsync(
        KafkaSession session, DescribeShareGroupOffsetsRequestGroup wanted)
    {
        if (!session.MaySeeGroup(wanted.GroupId))
        {
            return new() { GroupId = wanted.GroupId, ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        ConsumerGroupView view = await session.AskAsync<ConsumerGroupView>(
            (all, done) => all.Groups.ShareDescribe(wanted.GroupId, done));
        if (view.Error != CoordinatorError.None)
        {
            return new()
            {
                GroupId = wanted.GroupId,
                ErrorCode = view.Error.Code(),
                ErrorMessage = $"Group {wanted.GroupId} is not a share group.",
            };
        }

        var topics = new List<DescribeShareGroupOffsetsResponseTopic>();
        foreach ((string topic, int[] partitions) in await TopicsAsync(session, wanted))
        {
            topics.Add(await TopicAsync(session, wanted.GroupId, topic, partitions));
        }

        return new() { GroupId = wanted.GroupId, Topics = [.. topics] };
    }

    private static async ValueTask<IEnumerable<(string Topic, int[] Partitions)>> TopicsAsync(
        KafkaSession session, DescribeShareGroupOffsetsRequestGroup wanted)
    {
        if (wanted.Topics is { } named)
        {
            return named.Select(t => (t.TopicName, t.Partitions));
        }

        var starts = await session.AskAsync<IReadOnlyList<(SharePartitionKey Key, long StartOffset)>>(
            (all, done) => all.Shares.Starts(wanted.GroupId, done));
        return from start in starts
               let place = start.Key.Partition
               group place.Partition by session.Streams.Find(place.TopicId)?.Name into topic
               where topic.Key is not null && session.MaySee(topic.Key)
               select (topic.Key, topic.Order().ToArray());
    }

    private static async ValueTask<DescribeShareGroupOffsetsResponseTopic> TopicAsync(
        KafkaSession session, string group, string topic, int[] partitions)
    {
        var answers = new DescribeShareGroupOffsetsResponsePartition[partitions.Length];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = await PartitionAsync(session, group, topic, partitions[i]);
        }

        return new()
        {
            TopicName = topic,
            TopicId = session.MaySee(topic) ? session.Streams.Find(topic)?.Id ?? Guid.Empty : Guid.Empty,
            Partitions = answers,
        };
    }

    private static async ValueTask<DescribeShareGroupOffsetsResponsePartition> PartitionAsync(
        KafkaSession session, string group, string topic, int number)
    {
        ErrorCode error = ShareGroupOffsets.Find(session, topic, number, out Partition? partition);
        if (error != ErrorCode.None)
        {
            return new() { PartitionIndex = number, StartOffset = -1, ErrorCode = (short)error };
        }

        SharePosition position = await session.AskAsync<SharePosition>(
            (all, done) => all.Shares.Describe(ShareGroupOffsets.KeyOf(group, partition!), done));
        return new()
        {
            PartitionIndex = number,
            StartOffset = position.StartOffset,
            LeaderEpoch = position.StartOffset < 0 ? -1 : 0,
            Lag = position.StartOffset < 0 ? -1 : Math.Max(0, partition!.HighWatermark - position.StartOffset),
            ErrorCode = position.Error.Code(),
        };
    }
}
