using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>What the three APIs on the offsets of share groups have in common.</summary>
internal static class ShareGroupOffsets
{
    /// <summary>Why the offsets of a group cannot be changed now; None when they can: nobody is in it.</summary>
    public static async ValueTask<ErrorCode> CheckIdleAsync(KafkaSession session, string group)
    {
        if (!session.MayJoin(group))
        {
            return ErrorCode.GroupAuthorizationFailed;
        }

        ConsumerGroupView view = await session.AskAsync<ConsumerGroupView>(
            (all, done) => all.Groups.ShareDescribe(group, done));
        return view.Error != CoordinatorError.None ? (ErrorCode)view.Error.Code()
            : view.Members.Count > 0 ? ErrorCode.NonEmptyGroup
            : ErrorCode.None;
    }

    /// <summary>The partition, if the client may read it.</summary>
    public static ErrorCode Find(KafkaSession session, string topic, int number, out Partition? partition)
    {
        partition = null;
        ErrorCode error = session.CheckPartition(topic, number);
        if (error == ErrorCode.None)
        {
            partition = session.Streams.Find(topic)?.FindPartition(number);
        }

        return partition is null && error == ErrorCode.None ? ErrorCode.UnknownTopicOrPartition : error;
    }

    public static SharePartitionKey KeyOf(string group, Partition partition) =>
        new(group, new TopicIdPartition(partition.Stream.Id, partition.Number));
}
