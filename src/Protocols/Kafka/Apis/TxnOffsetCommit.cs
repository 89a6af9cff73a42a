using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Commit = Pillarbox.Broker.Streams.Groups.OffsetCommitRequest;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>TxnOffsetCommit: offsets that count when the transaction commits.</summary>
internal static class TxnOffsetCommitApi
{
    private const short FirstOfTransactionsV2 = 5;
    private const short FirstOfAbortable = 4;

    public static async ValueTask<TxnOffsetCommitResponse?> HandleAsync(ApiCall call, TxnOffsetCommitRequest request)
    {
        KafkaSession session = call.Session;
        ErrorCode refusal = session.MayTransact(request.TransactionalId)
            ? session.CheckMember(request.GroupId)
            : ErrorCode.TransactionalIdAuthorizationFailed;
        var checks = new OffsetChecks(session, refusal);
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

    // From version 5 on the group's partition becomes part of the transaction here; before, it must be one already.
    private static async ValueTask CommitAsync(ApiCall call, TxnOffsetCommitRequest request, OffsetChecks checks)
    {
        var producer = new ProducerStamp(request.ProducerId, request.ProducerEpoch);
        short version = call.Version >= FirstOfTransactionsV2 ? (short)2 : (short)1;
        var who = new TransactionRef(request.TransactionalId, producer, version);
        var commit = new Commit
        {
            Member = new(
                request.GroupId, request.GenerationIdOrMemberEpoch, request.MemberId, request.GroupInstanceId),
            Offsets = checks.Good,
        };
        OffsetCommitResult result = await call.Session.AskAsync<OffsetCommitResult>(
            (all, done) => all.CommitOffsets(who, commit, done));
        checks.Take(call.Version < FirstOfAbortable ? Known(result) : result);
    }

    // In the words of clients that have never heard of transactions that they should abort.
    private static OffsetCommitResult Known(OffsetCommitResult result) =>
        result.Error == CoordinatorError.TransactionAbortable
            ? OffsetCommitResult.Of(CoordinatorError.InvalidTxnState)
            : result with
            {
                Offsets =
                [
                    .. result.Offsets.Select(error => error == CoordinatorError.TransactionAbortable
                        ? CoordinatorError.InvalidCommitOffsetSize
                        : error),
                ],
            };
}
