using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeClientQuotasRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeClientQuotasResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeClientQuotas: the quotas of users and client ids that fit a filter.</summary>
internal static class DescribeClientQuotasApi
{
    private const sbyte Exact = 0;
    private const sbyte Default = 1;
    private const sbyte Any = 2;

    public static ValueTask<DescribeClientQuotasResponse?> HandleAsync(
        ApiCall call, DescribeClientQuotasRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayOnCluster(Permission.View))
        {
            return new(Refuse(ErrorCode.ClusterAuthorizationFailed, null));
        }

        if (Fault(request) is { } fault)
        {
            return new(Refuse(ErrorCode.InvalidRequest, fault));
        }

        ComponentData? user = Array.Find(request.Components, c => c.EntityType == QuotaEntities.User);
        ComponentData? client = Array.Find(request.Components, c => c.EntityType == QuotaEntities.ClientId);
        var entries = session.Environment.Broker.Quotas.List(session.GrantOnCluster(Permission.View));
        return new(new DescribeClientQuotasResponse
        {
            Entries =
            [
                .. entries.Where(e => Fits(e.Key.User, user, request.Strict))
                    .Where(e => Fits(e.Key.Client, client, request.Strict))
                    .Select(e => new EntryData
                    {
                        Entity = QuotaEntities.Write(e.Key, (type, name) =>
                            new DescribeClientQuotasResponse.EntityData { EntityType = type, EntityName = name }),
                        Values =
                        [
                            .. e.Value.Select(v => new ValueData { Key = QuotaNames.Of(v.Key), Value = v.Value }),
                        ],
                    }),
            ],
        });
    }

    private static string? Fault(DescribeClientQuotasRequest request)
    {
        foreach (ComponentData component in request.Components)
        {
            if (component.EntityType is not (QuotaEntities.User or QuotaEntities.ClientId))
            {
                return $"entities of type '{component.EntityType}' have no quotas here: only user and client-id do";
            }

            if (request.Components.Count(c => c.EntityType == component.EntityType) > 1
                || component.MatchType is < Exact or > Any || (component.MatchType == Exact && component.Match is null))
            {
                return $"the filter for {component.EntityType} is none";
            }
        }

        return null;
    }

    // Without a component the part may be anything; strictly, it must then not be there.
    private static bool Fits(QuotaPart part, ComponentData? component, bool isStrict) => component?.MatchType switch
    {
        null => !isStrict || part.Scope == QuotaScope.Absent,
        Exact => part == QuotaPart.Of(component.Match!),
        Default => part.Scope == QuotaScope.Default,
        _ => part.Scope != QuotaScope.Absent,
    };

    private static DescribeClientQuotasResponse Refuse(ErrorCode error, string? message) =>
        new() { ErrorCode = (short)error, ErrorMessage = message, Entries = null };
}
