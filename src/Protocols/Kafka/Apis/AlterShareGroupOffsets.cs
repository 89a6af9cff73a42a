using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterShareGroupOffsetsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterShareGroupOffsetsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AlterShareGroupOffsets: sets a share group that nobody is in to offsets.</summary>
internal static class AlterShareGroupOffsetsApi
{
    public static async ValueTask<AlterShareGroupOffsetsResponse?> HandleAsync(
        ApiCall call, AlterShareGroupOffsetsRequest request)
    {
        KafkaSession session = call.Session;
        ErrorCode error = await ShareGroupOffsets.CheckIdleAsync(session, request.GroupId);
        if (error != ErrorCode.None)
        {
            return new AlterShareGroupOffsetsResponse { ErrorCode = (short)error };
        }

        var topics = new List<AlterShareGroupOffsetsResponseTopic>();
        foreach (AlterShareGroupOffsetsRequestTopic topic in request.Topics)
        {
            var partitions = new List<AlterShareGroupOffsetsResponsePartition>();
            foreach (AlterShareGroupOffsetsRequestPartition partition in topic.Partitions)
            {
                ErrorCode result = await ResetAsync(session, request.GroupId, topic.TopicName, partition);
                partitions.Add(new() { PartitionIndex = partition.PartitionIndex, ErrorCode = (short)result });
            }

            topics.Add(new()
            {
                TopicName = topic.TopicName,
                TopicId = session.MaySee(topic.TopicName)
                    ? session.Streams.Find(topic.TopicName)?.Id ?? Guid.Empty
                    : Guid.Empty,
                Partitions = [.. partitions],
            });
        }

        return new AlterShareGroupOffsetsResponse { Responses = [.. topics] };
    }

    private static async ValueTask<ErrorCode> ResetAsync(
        KafkaSession session, string group, string topic, AlterShareGroupOffsetsRequestPartition wanted)
    {
        ErrorCode error = ShareGroupOffsets.Find(session, topic, wanted.PartitionIndex, out Partition? partition);
        if (error != ErrorCode.None)
        {
            return error;
        }

        if (wanted.StartOffset < partition!.StartOffset || wanted.StartOffset > partition.HighWatermark)
        {
            return ErrorCode.OffsetOutOfRange;
        }

        PlainResult result = await session.AskAsync<PlainResult>((all, done) =>
            all.Shares.Reset(ShareGroupOffsets.KeyOf(group, partition), wanted.StartOffset, done));
        return (ErrorCode)result.Error.Code();
    }
}
