using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>OffsetForLeaderEpoch: where the records of an epoch end, for a client that asks whether its log is ours.
/// </summary>
internal static class OffsetForLeaderEpochApi
{
    public static ValueTask<OffsetForLeaderEpochResponse?> HandleAsync(
        ApiCall call, OffsetForLeaderEpochRequest request) =>
        new(new OffsetForLeaderEpochResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => Topic(call.Session, topic)),
        });

    private static OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult Topic(
        KafkaSession session, OffsetForLeaderEpochRequest.OffsetForLeaderTopic topic)
    {
        ErrorCode error = session.FindSeen(topic.Topic, out RecordStream? stream);
        return new()
        {
            Topic = topic.Topic,
            Partitions = Array.ConvertAll(topic.Partitions, wanted =>
            {
                Partition? partition = stream?.FindPartition(wanted.Partition);
                return partition is null ? Refuse(wanted, error) : EndOf(partition, wanted);
            }),
        };
    }

    private static OffsetForLeaderEpochResponse.EpochEndOffset EndOf(
        Partition partition, OffsetForLeaderEpochRequest.OffsetForLeaderPartition wanted)
    {
        EpochEndResult end = partition.EndOfEpoch(wanted.LeaderEpoch, wanted.CurrentLeaderEpoch);
        return new()
        {
            Partition = wanted.Partition,
            ErrorCode = (short)ErrorCodes.Of(end.Error),
            LeaderEpoch = end.LeaderEpoch,
            EndOffset = end.EndOffset,
        };
    }

    private static OffsetForLeaderEpochResponse.EpochEndOffset Refuse(
        OffsetForLeaderEpochRequest.OffsetForLeaderPartition wanted, ErrorCode error) =>
        new()
        {
            Partition = wanted.Partition,
            ErrorCode = (short)(error == ErrorCode.None ? ErrorCode.UnknownTopicOrPartition : error),
        };
}
