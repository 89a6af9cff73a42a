using Pillarbox.Broker;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>The broker's refusals as reason codes.</summary>
internal static class BrokerErrors
{
    public static ReasonCode ToReason(BrokerException refusal) => refusal.Error switch
    {
        BrokerError.Unauthorized => ReasonCode.NotAuthorized,
        BrokerError.ResourceLimitExceeded => ReasonCode.QuotaExceeded,
        BrokerError.InvalidField => ReasonCode.TopicNameInvalid,
        BrokerError.Unavailable => ReasonCode.ServerUnavailable,
        BrokerError.ResourceLocked => ReasonCode.ServerBusy,
        BrokerError.ResourceDeleted => ReasonCode.AdministrativeAction,
        _ => ReasonCode.ImplementationSpecificError,
    };
}
