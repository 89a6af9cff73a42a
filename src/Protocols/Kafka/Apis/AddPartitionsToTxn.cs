using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AddPartitionsToTxnRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AddPartitionsToTxnResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AddPartitionsToTxn: a transaction will write to partitions. Versions up to 3 come from clients.</summary>
internal static class AddPartitionsToTxnApi
{
    private const short FirstOfFencing = 2;

    public static async ValueTask<AddPartitionsToTxnResponse?> HandleAsync(
        ApiCall call, AddPartitionsToTxnRequest request)
    {
        if (call.Version < 4)
        {
            return new AddPartitionsToTxnResponse
            {
                ResultsByTopicV3AndBelow = await AddAsync(
                    call,
                    new AddPartitionsToTxnTransaction
                    {
                        TransactionalId = request.V3AndBelowTransactionalId,
                        ProducerId = request.V3AndBelowProducerId,
                        ProducerEpoch = request.V3AndBelowProducerEpoch,
                        Topics = request.V3AndBelowTopics,
                    }),
            };
        }

        var results = new AddPartitionsToTxnResult[request.Transactions.Length];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = new()
            {
                TransactionalId = request.Transactions[i].TransactionalId,
                TopicResults = await AddAsync(call, request.Transactions[i]),
            };
        }

        return new AddPartitionsToTxnResponse { ResultsByTransaction = results };
    }

    private static async ValueTask<AddPartitionsToTxnTopicResult[]> AddAsync(
        ApiCall call, AddPartitionsToTxnTransaction wanted)
    {
        KafkaSession session = call.Session;
        var who = new TransactionRef(
            wanted.TransactionalId, new ProducerStamp(wanted.ProducerId, wanted.ProducerEpoch), Version: 1);
        TopicPartition[] partitions =
            [.. wanted.Topics.SelectMany(t => t.Partitions.Select(p => new TopicPartition(t.Name, p)))];
        CoordinatorError[] refusals = Array.ConvertAll(partitions, p => Refusal(session, p.Topic));
        PartitionsResult result =
            !session.MayTransact(wanted.TransactionalId)
                ? PartitionsResult.Of(Coordination.NoPermissionOnTransaction)
            : Array.Exists(refusals, e => e != CoordinatorError.None)
                ? new PartitionsResult { Partitions = refusals }
            : wanted.VerifyOnly
                ? await session.AskAsync<PartitionsResult>(
                    (all, done) => all.Transactions.VerifyPartitions(who, partitions, done))
            : await session.AskAsync<PartitionsResult>(
                (all, done) => all.Transactions.AddPartitions(who, partitions, done));
        int next = 0;
        bool partly = (!wanted.VerifyOnly || ReferenceEquals(result.Partitions, refusals))
            && result.Partitions.Any(e => e != CoordinatorError.None);
        return Array.ConvertAll(wanted.Topics, topic => new AddPartitionsToTxnTopicResult
        {
            Name = topic.Name,
            ResultsByPartition = Array.ConvertAll(topic.Partitions, p => new AddPartitionsToTxnPartitionResult
            {
                PartitionIndex = p,
                PartitionErrorCode = ErrorOf(result, next++, partly, call),
            }),
        });
    }

    // A transaction ends with a marker in each of its partitions: that is a write too. The node's own streams it enters
    // by other requests.
    private static CoordinatorError Refusal(KafkaSession session, string topic) =>
        session.May(Permission.Send, topic) && session.Streams.Find(topic)?.IsInternal != true
            ? CoordinatorError.None
            : Coordination.NoPermissionOnTopic;

    // When one cannot be added, none was.
    private static short ErrorOf(PartitionsResult result, int index, bool partly, ApiCall call)
    {
        CoordinatorError error = index < result.Partitions.Count ? result.Partitions[index] : result.Error;
        return partly && error == CoordinatorError.None
            ? (short)ErrorCode.OperationNotAttempted
            : error.Since(FirstOfFencing, call).Code();
    }
}
