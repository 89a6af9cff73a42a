using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeTransactions: transactions by their transactional ids.</summary>
internal static class DescribeTransactionsApi
{
    public static async ValueTask<DescribeTransactionsResponse?> HandleAsync(
        ApiCall call, DescribeTransactionsRequest request)
    {
        var states = new DescribeTransactionsResponse.TransactionStateEntry[request.TransactionalIds.Length];
        for (int i = 0; i < states.Length; i++)
        {
            string id = request.TransactionalIds[i];
            TransactionView view = call.Session.MaySeeTransaction(id)
                ? await call.Session.AskAsync<TransactionView>((all, done) => all.Transactions.Describe(id, done))
                : TransactionView.Of(Coordination.NoPermissionOnTransaction);
            states[i] = Describe(
                id, view with { Partitions = [.. view.Partitions.Where(p => call.Session.MaySee(p.Topic))] });
        }

        return new DescribeTransactionsResponse { TransactionStates = states };
    }

    private static DescribeTransactionsResponse.TransactionStateEntry Describe(string id, TransactionView view) => new()
    {
        ErrorCode = view.Error.Code(),
        TransactionalId = id,
        TransactionState = view.Error == CoordinatorError.None ? view.State.ToString() : "",
        TransactionTimeoutMs = view.TimeoutMs,
        TransactionStartTimeMs = view.StartedMs,
        ProducerId = view.Producer.Id,
        ProducerEpoch = view.Producer.Epoch,
        Topics =
        [
            .. view.Partitions.GroupBy(p => p.Topic, StringComparer.Ordinal)
                .Select(g => new DescribeTransactionsResponse.TopicData
                {
                    Topic = g.Key,
                    Partitions = [.. g.Select(p => p.Partition)],
                }),
        ],
    };
}
