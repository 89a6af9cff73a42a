using Pillarbox.Broker;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Pillarbox.Storage;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterClientQuotasRequest;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AlterClientQuotas: sets and removes quotas, each entity by itself; on disk when it is answered.</summary>
internal static class AlterClientQuotasApi
{
    public static ValueTask<AlterClientQuotasResponse?> HandleAsync(ApiCall call, AlterClientQuotasRequest request) =>
        new(new AlterClientQuotasResponse
        {
            Entries = Array.ConvertAll(request.Entries, entry =>
            {
                (ErrorCode error, string? message) = Change(call.Session, entry, request.ValidateOnly);
                return new AlterClientQuotasResponse.EntryData
                {
                    ErrorCode = (short)error,
                    ErrorMessage = message,
                    Entity = Array.ConvertAll(entry.Entity, part => new AlterClientQuotasResponse.EntityData
                    {
                        EntityType = part.EntityType,
                        EntityName = part.EntityName,
                    }),
                };
            }),
        });

    private static (ErrorCode Error, string? Message) Change(KafkaSession session, EntryData entry, bool validateOnly)
    {
        if (!session.MayOnCluster(Permission.Edit))
        {
            return (ErrorCode.ClusterAuthorizationFailed, null);
        }

        string? fault = QuotaEntities.Read(
            entry.Entity, part => (part.EntityType, part.EntityName), out QuotaEntity entity);
        if (fault is not null)
        {
            return (ErrorCode.InvalidRequest, fault);
        }

        var changes = new List<QuotaChange>();
        foreach (OpData op in entry.Ops)
        {
            if (QuotaNames.Find(op.Key) is not { } kind)
            {
                return (ErrorCode.InvalidRequest, $"there is no quota '{op.Key}' here");
            }

            changes.Add(new QuotaChange(entity, kind, op.Remove ? null : op.Value));
        }

        try
        {
            QuotaStore.Require(changes);
            if (!validateOnly)
            {
                session.Environment.Broker.Quotas.Change(session.GrantOnCluster(Permission.Edit), changes);
            }

            return (ErrorCode.None, null);
        }
        catch (BrokerException e)
        {
            return (ErrorCode.InvalidRequest, e.Message);
        }
        catch (StorageException e)
        {
            return (ErrorCode.KafkaStorageError, e.Message);
        }
    }
}
