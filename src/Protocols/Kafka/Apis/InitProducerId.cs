using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>InitProducerId: an id and an epoch for an idempotent or transactional producer.</summary>
internal static class InitProducerIdApi
{
    /// <summary>Version 6 is for two-phase commits, which clients do not use yet.</summary>
    public const short VersionMax = 5;

    private const short FirstOfFencing = 4;

    public static async ValueTask<InitProducerIdResponse?> HandleAsync(ApiCall call, InitProducerIdRequest request)
    {
        if (request.TransactionalId is { } id && !call.Session.MayTransact(id))
        {
            return new InitProducerIdResponse { ErrorCode = (short)ErrorCode.TransactionalIdAuthorizationFailed };
        }

        if (request.TransactionalId is null && !call.Session.MayWriteIdempotently)
        {
            return new InitProducerIdResponse { ErrorCode = (short)ErrorCode.ClusterAuthorizationFailed };
        }

        var current = new ProducerStamp(request.ProducerId, request.ProducerEpoch);
        var init = new InitProducerRequest(request.TransactionalId, request.TransactionTimeoutMs, current);
        ProducerResult result = await call.Session.AskAsync<ProducerResult>(
            (all, done) => all.Transactions.InitProducer(init, done));
        return new InitProducerIdResponse
        {
            ErrorCode = result.Error.Since(FirstOfFencing, call).Code(),
            ProducerId = result.Producer.Id,
            ProducerEpoch = result.Producer.Epoch,
        };
    }
}
