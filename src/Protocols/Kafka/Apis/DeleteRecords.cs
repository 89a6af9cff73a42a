using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DeleteRecords: forgets the records below an offset; -1 means all that can be read.</summary>
internal static class DeleteRecordsApi
{
    public static async ValueTask<DeleteRecordsResponse?> HandleAsync(ApiCall call, DeleteRecordsRequest request)
    {
        var topics = new DeleteRecordsResponse.DeleteRecordsTopicResult[request.Topics.Length];
        for (int t = 0; t < topics.Length; t++)
        {
            DeleteRecordsRequest.DeleteRecordsTopic topic = request.Topics[t];
            var partitions = new DeleteRecordsResponse.DeleteRecordsPartitionResult[topic.Partitions.Length];
            for (int p = 0; p < partitions.Length; p++)
            {
                partitions[p] = await DeleteAsync(call.Session, topic.Name, topic.Partitions[p]);
            }

            topics[t] = new() { Name = topic.Name, Partitions = partitions };
        }

        return new DeleteRecordsResponse { Topics = topics };
    }

    private static async ValueTask<DeleteRecordsResponse.DeleteRecordsPartitionResult> DeleteAsync(
        KafkaSession session, string topic, DeleteRecordsRequest.DeleteRecordsPartition wanted)
    {
        // The field's programs are given the right to delete, ours that to manage.
        Permission by = session.May(Permission.DeleteAddress, topic) ? Permission.DeleteAddress : Permission.Manage;
        ErrorCode error = session.Find(topic, Guid.Empty, by, out RecordStream? stream);
        Partition? partition = stream?.FindPartition(wanted.PartitionIndex);
        if (error == ErrorCode.None)
        {
            // What has to stay until a later record replaces it, or is the node's own, is not to be cut off.
            error = partition is null ? ErrorCode.UnknownTopicOrPartition
                : stream!.IsInternal ? ErrorCode.InvalidTopicException
                : !stream.Config.IsDeleting ? ErrorCode.PolicyViolation
                : await session.WhenDurableAsync(session.Streams.DeleteRecords(
                    session.GrantOf(by, topic), partition, wanted.Offset));
        }

        return new()
        {
            PartitionIndex = wanted.PartitionIndex,
            LowWatermark = error == ErrorCode.None ? partition!.StartOffset : -1,
            ErrorCode = (short)error,
        };
    }
}
