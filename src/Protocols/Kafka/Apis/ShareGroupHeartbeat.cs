using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ShareGroupHeartbeat (KIP-932): joining, living and leaving in a group whose members share partitions.
/// </summary>
internal static class ShareGroupHeartbeatApi
{
    public static async ValueTask<ShareGroupHeartbeatResponse?> HandleAsync(
        ApiCall call, ShareGroupHeartbeatRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayJoin(request.GroupId))
        {
            return new ShareGroupHeartbeatResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        if (!session.MaySeeAll(request.SubscribedTopicNames))
        {
            return new ShareGroupHeartbeatResponse { ErrorCode = (short)ErrorCode.TopicAuthorizationFailed };
        }

        var heartbeat = new ConsumerHeartbeatRequest
        {
            GroupId = request.GroupId,
            MemberId = request.MemberId,
            MemberEpoch = request.MemberEpoch,
            RackId = request.RackId,
            SubscribedTopics = request.SubscribedTopicNames,
            Client = new GroupClient(call.Header.ClientId, session.Peer.ClientHost),
        };
        ConsumerHeartbeatResult result = await session.AskAsync<ConsumerHeartbeatResult>(
            (all, done) => all.Groups.ShareHeartbeat(heartbeat, done));
        return new ShareGroupHeartbeatResponse
        {
            ErrorCode = result.Error.Code(),
            ErrorMessage = result.Message,
            MemberId = result.MemberId,
            MemberEpoch = result.MemberEpoch,
            HeartbeatIntervalMs = result.HeartbeatIntervalMs,
            Assignment = result.Assignment is null ? null : new()
            {
                TopicPartitions =
                [
                    .. result.Assignment.GroupBy(p => p.TopicId)
                        .Select(g => new ShareGroupHeartbeatResponse.TopicPartitions
                        {
                            TopicId = g.Key,
                            Partitions = [.. g.Select(p => p.Partition).Order()],
                        }),
                ],
            },
        };
    }
}
