using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>EndTxn: commits or aborts. From version 5 on the producer gets a new epoch with every
/// transaction.</summary>
internal static class EndTxnApi
{
    private const short FirstOfFencing = 2;
    private const short FirstOfTransactionsV2 = 5;

    public static async ValueTask<EndTxnResponse?> HandleAsync(ApiCall call, EndTxnRequest request)
    {
        if (!call.Session.MayTransact(request.TransactionalId))
        {
            return new EndTxnResponse { ErrorCode = (short)ErrorCode.TransactionalIdAuthorizationFailed };
        }

        var who = new TransactionRef(
            request.TransactionalId,
            new ProducerStamp(request.ProducerId, request.ProducerEpoch),
            call.Version >= FirstOfTransactionsV2 ? (short)2 : (short)1);
        ProducerResult result = await call.Session.AskAsync<ProducerResult>(
            (all, done) => all.Transactions.EndTransaction(who, request.Committed, done));
        return new EndTxnResponse
        {
            ErrorCode = result.Error.Since(FirstOfFencing, call).Code(),
            ProducerId = result.Producer.Id,
            ProducerEpoch = result.Producer.Epoch,
        };
    }
}
