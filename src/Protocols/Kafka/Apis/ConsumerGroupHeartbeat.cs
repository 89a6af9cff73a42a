using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ConsumerGroupHeartbeat (KIP-848): joining, living, giving up partitions and leaving in one API.</summary>
internal static class ConsumerGroupHeartbeatApi
{
    public static async ValueTask<ConsumerGroupHeartbeatResponse?> HandleAsync(
        ApiCall call, ConsumerGroupHeartbeatRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayJoin(request.GroupId))
        {
            return new ConsumerGroupHeartbeatResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        if (!session.MaySeeAll(request.SubscribedTopicNames))
        {
            return new ConsumerGroupHeartbeatResponse { ErrorCode = (short)ErrorCode.TopicAuthorizationFailed };
        }

        var heartbeat = new ConsumerHeartbeatRequest
        {
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            MemberEpoch = request.MemberEpoch,
            InstanceId = request.InstanceId,
            RackId = request.RackId,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs,
            SubscribedTopics = request.SubscribedTopicNames,
            SubscribedRegex = request.SubscribedTopicRegex,
            ServerAssignor = request.ServerAssignor,
            Owned = request.TopicPartitions is null ? null :
                [.. request.TopicPartitions.SelectMany(
                    t => t.Partitions.Select(p => new TopicIdPartition(t.TopicId, p)))],
            Client = new GroupClient(call.Header.ClientId, session.Peer.ClientHost),
            Access = session.TopicAccess,
        };
        ConsumerHeartbeatResult result = await session.AskAsync<ConsumerHeartbeatResult>(
            (all, done) => all.Groups.ConsumerHeartbeat(heartbeat, done));
        return new ConsumerGroupHeartbeatResponse
        {
            ErrorCode = result.Error.Code(),
            ErrorMessage = result.Message,
            MemberId = result.MemberId,
            MemberEpoch = result.MemberEpoch,
            HeartbeatIntervalMs = result.HeartbeatIntervalMs,
            Assignment = result.Assignment is null ? null : new() { TopicPartitions = ByTopic(result.Assignment) },
        };
    }

    private static ConsumerGroupHeartbeatResponse.TopicPartitions[] ByTopic(
        IReadOnlyCollection<TopicIdPartition> partitions) =>
    [
        .. partitions.GroupBy(p => p.TopicId).Select(g => new ConsumerGroupHeartbeatResponse.TopicPartitions
        {
            TopicId = g.Key,
            Partitions = [.. g.Select(p => p.Partition).Order()],
        }),
    ];
}
