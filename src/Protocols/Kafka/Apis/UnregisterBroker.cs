using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>UnregisterBroker: the node is the only broker.</summary>
internal static class UnregisterBrokerApi
{
    public static ValueTask<UnregisterBrokerResponse?> HandleAsync(ApiCall call, UnregisterBrokerRequest request)
    {
        int own = call.Session.NodeId;
        (ErrorCode error, string? message) = !call.Session.MayOnCluster(Permission.Manage)
                ? (ErrorCode.ClusterAuthorizationFailed, null)
            : request.BrokerId == own ? (ErrorCode.InvalidRequest, "this node cannot be without itself")
            : (ErrorCode.BrokerIdNotRegistered, $"broker {request.BrokerId} is not registered");
        return new(new UnregisterBrokerResponse { ErrorCode = (short)error, ErrorMessage = message });
    }
}
