using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ShareAcknowledge: what a member of a share group did with its records, without fetching more.</summary>
internal static class ShareAcknowledgeApi
{
    public static async ValueTask<ShareAcknowledgeResponse?> HandleAsync(
        ApiCall call, ShareAcknowledgeRequest request)
    {
        KafkaSession session = call.Session;
        ShareSession? share = session.Share;
        ErrorCode error = !session.MayJoin(request.GroupId ?? "") ? ErrorCode.GroupAuthorizationFailed
            : request.ShareSessionEpoch == ShareSession.FirstEpoch ? ErrorCode.InvalidShareSessionEpoch
            : ShareSession.Enter(ref share, request.GroupId, request.MemberId, request.ShareSessionEpoch);
        if (error != ErrorCode.None)
        {
            return new ShareAcknowledgeResponse { ErrorCode = (short)error };
        }

        var topics = new List<ShareAcknowledgeResponse.ShareAcknowledgeTopicResponse>();
        foreach (ShareAcknowledgeRequest.AcknowledgeTopic topic in request.Topics)
        {
            var partitions = new List<ShareAcknowledgeResponse.PartitionData>();
            foreach (ShareAcknowledgeRequest.AcknowledgePartition p in topic.Partitions)
            {
                ErrorCode result = await share!.AcknowledgeAsync(
                    session, new TopicIdPartition(topic.TopicId, p.PartitionIndex),
                    [.. p.AcknowledgementBatches.Select(
                        b => ShareSession.Range(b.FirstOffset, b.LastOffset, b.AcknowledgeTypes))]);
                partitions.Add(new() { PartitionIndex = p.PartitionIndex, ErrorCode = (short)result });
            }

            topics.Add(new() { TopicId = topic.TopicId, Partitions = [.. partitions] });
        }

        if (request.ShareSessionEpoch == ShareSession.FinalEpoch)
        {
            share!.Release(session);
            session.Share = null;
        }

        ShareLimits limits = await session.AskAsync<ShareLimits>(
            (all, done) => all.Shares.LimitsOf(share!.GroupId, done));
        return new ShareAcknowledgeResponse { Responses = [.. topics], AcquisitionLockTimeoutMs = limits.LockMs };
    }
}
