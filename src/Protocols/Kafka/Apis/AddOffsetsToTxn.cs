using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AddOffsetsToTxn: a transaction will commit offsets of a group.</summary>
internal static class AddOffsetsToTxnApi
{
    private const short FirstOfFencing = 2;

    public static async ValueTask<AddOffsetsToTxnResponse?> HandleAsync(ApiCall call, AddOffsetsToTxnRequest request)
    {
        if (!call.Session.MayTransact(request.TransactionalId))
        {
            return new AddOffsetsToTxnResponse { ErrorCode = (short)ErrorCode.TransactionalIdAuthorizationFailed };
        }

        if (!call.Session.MayJoin(request.GroupId))
        {
            return new AddOffsetsToTxnResponse { ErrorCode = (short)ErrorCode.GroupAuthorizationFailed };
        }

        var who = new TransactionRef(
            request.TransactionalId, new ProducerStamp(request.ProducerId, request.ProducerEpoch), Version: 1);
        PlainResult result = await call.Session.AskAsync<PlainResult>(
            (all, done) => all.Transactions.AddOffsets(who, request.GroupId, done));
        return new AddOffsetsToTxnResponse { ErrorCode = result.Error.Since(FirstOfFencing, call).Code() };
    }
}
