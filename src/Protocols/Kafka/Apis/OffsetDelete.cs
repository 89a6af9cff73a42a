using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>OffsetDelete: forgets how far a group has read in partitions that it does not read any more.</summary>
internal static class OffsetDeleteApi
{
    public static async ValueTask<OffsetDeleteResponse?> HandleAsync(ApiCall call, OffsetDeleteRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayDeleteGroup(request.GroupId))
        {
            return new OffsetDeleteResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        var checks = new OffsetChecks(session, ErrorCode.None);
        foreach (OffsetDeleteRequest.OffsetDeleteRequestTopic topic in request.Topics)
        {
            foreach (OffsetDeleteRequest.OffsetDeleteRequestPartition partition in topic.Partitions)
            {
                checks.Add(topic.Name, partition.PartitionIndex, offset: -1, leaderEpoch: -1, metadata: null);
            }
        }

        TopicPartition[] partitions = [.. checks.Good.Select(o => o.Partition)];
        OffsetCommitResult result = await session.AskAsync<OffsetCommitResult>(
            (all, done) => all.Groups.DeleteOffsets(request.GroupId, partitions, done));
        if (result.Error != CoordinatorError.None)
        {
            return new OffsetDeleteResponse { ErrorCode = result.Error.Code() };
        }

        checks.Take(result);
        return new OffsetDeleteResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => new OffsetDeleteResponse.OffsetDeleteResponseTopic
            {
                Name = topic.Name,
                Partitions = Array.ConvertAll(topic.Partitions, p =>
                    new OffsetDeleteResponse.OffsetDeleteResponsePartition
                    {
                        PartitionIndex = p.PartitionIndex,
                        ErrorCode = checks.Next(),
                    }),
            }),
        };
    }
}
