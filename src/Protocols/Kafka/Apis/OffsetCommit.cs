using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Commit = Pillarbox.Broker.Streams.Groups.OffsetCommitRequest;
using OffsetCommitRequest = Pillarbox.Protocols.Kafka.Wire.Messages.OffsetCommitRequest;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>OffsetCommit: keeps how far a group has read; answered when that is on disk.</summary>
internal static class OffsetCommitApi
{
    public static async ValueTask<OffsetCommitResponse?> HandleAsync(ApiCall call, OffsetCommitRequest request)
    {
        KafkaSession session = call.Session;
        var checks = new OffsetChecks(session, session.CheckMember(request.GroupId));
        foreach (OffsetCommitRequest.OffsetCommitRequestTopic topic in request.Topics)
        {
            string? name = session.NameOf(topic.Name, topic.TopicId);
            foreach (OffsetCommitRequest.OffsetCommitRequestPartition p in topic.Partitions)
            {
                checks.Add(name, p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata);
            }
        }

        if (checks.Good.Count > 0)
        {
            checks.Take(await session.AskAsync<OffsetCommitResult>((all, done) => all.Groups.CommitOffsets(
                new Commit
                {
                    Member = new(
                        request.GroupId, request.GenerationIdOrMemberEpoch, request.MemberId, request.GroupInstanceId),
                    Offsets = checks.Good,
                    RetentionMs = request.RetentionTimeMs,
                    KnowsGroupIdNotFound = call.Version >= 9,
                },
                done)));
        }

        return new OffsetCommitResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => new OffsetCommitResponse.OffsetCommitResponseTopic
            {
                Name = topic.Name,
                TopicId = topic.TopicId,
                Partitions = Array.ConvertAll(topic.Partitions, p =>
                    new OffsetCommitResponse.OffsetCommitResponsePartition
                    {
                        PartitionIndex = p.PartitionIndex,
                        ErrorCode = checks.Next(),
                    }),
            }),
        };
    }
}
