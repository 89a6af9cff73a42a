using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Commit = Pillarbox.Broker.Streams.Groups.OffsetCommitRequest;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>TxnOffsetCommit: offsets that count when the transaction commits.</summary>
internal static class TxnOffsetCommitApi
{
    private const short FirstOfTransactionsV2 = 5;

    public static async ValueTask<TxnOffsetCommitResponse?> HandleAsync(ApiCall call, TxnOffsetCommitRequest request)
    {
        KafkaSession session = call.Session;
        bool may = session.MayJoin(request.GroupId) && session.MayTransact(request.TransactionalId);
        var checks = new OffsetChecks(session, may);
        foreach (TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic topic in request.Topics)
        {
            string? name = session.NameOf(topic.Name, topic.TopicId);
            foreach (TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition p in topic.Partitions)
            {
                checks.Add(name, p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.CommittedMetadata);
            }
        }

        if (checks.Good.Count > 0)
        {
            await CommitAsync(call, request, checks);
        }

        return new TxnOffsetCommitResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
            {
                Name = topic.Name,
                TopicId = topic.TopicId,
                Partitions = Array.ConvertAll(topic.Partitions, p =>
                    new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition
                    {
                        PartitionIndex = p.PartitionIndex,
                        ErrorCode = checks.Next(),
                    }),
            }),
        };
    }

    private static async ValueTask CommitAsync(ApiCall call, TxnOffsetCommitRequest request, OffsetChecks checks)
    {
        KafkaSession session = call.Session;
        var producer = new ProducerStamp(request.ProducerId, request.ProducerEpoch);
        CoordinatorError error = await EnterAsync(call, request, producer);
        if (error != CoordinatorError.None)
        {
            checks.Refuse(error);
            return;
        }

        var commit = new Commit
        {
            Member = new(
                request.GroupId, request.GenerationIdOrMemberEpoch, request.MemberId, request.GroupInstanceId),
            Offsets = checks.Good,
            Producer = producer,
        };
        checks.Take(await session.AskAsync<OffsetCommitResult>(
            (all, done) => all.Groups.CommitOffsets(commit, done)));
    }

    // From version 5 on the group's partition becomes part of the transaction here; before, it must be one already.
    private static async ValueTask<CoordinatorError> EnterAsync(
        ApiCall call, TxnOffsetCommitRequest request, ProducerStamp producer)
    {
        if (call.Version >= FirstOfTransactionsV2)
        {
            var now = new TransactionRef(request.TransactionalId, producer, Version: 2);
            PlainResult added = await call.Session.AskAsync<PlainResult>(
                (all, done) => all.Transactions.AddOffsets(now, request.GroupId, done));
            return added.Error;
        }

        var who = new TransactionRef(request.TransactionalId, producer, Version: 1);
        PartitionsResult verified = await call.Session.AskAsync<PartitionsResult>((all, done) =>
            all.Transactions.VerifyPartitions(
                who,
                [new TopicPartition(StreamCoordinators.OffsetsStream, all.Groups.PartitionOf(request.GroupId))],
                done));
        return verified.Error != CoordinatorError.None || verified.Partitions.Count == 0
            ? verified.Error
            : verified.Partitions[0];
    }
}
