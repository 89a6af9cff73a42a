using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>UnregisterBroker, AddRaftVoter and RemoveRaftVoter: the node is the only broker, and its quorum is fixed as
/// that of a cluster is whose voters stand in its configuration.</summary>
internal static class ClusterMembersApi
{
    private const string FixedQuorum = "the quorum is this node alone and cannot be changed";

    public static ValueTask<UnregisterBrokerResponse?> UnregisterBrokerAsync(
        ApiCall call, UnregisterBrokerRequest request)
    {
        (ErrorCode error, string? message) = Refusal(call.Session) ?? (request.BrokerId == call.Session.NodeId
            ? (ErrorCode.InvalidRequest, "this node cannot be without itself")
            : (ErrorCode.BrokerIdNotRegistered, $"broker {request.BrokerId} is not registered"));
        return new(new UnregisterBrokerResponse { ErrorCode = (short)error, ErrorMessage = message });
    }

    public static ValueTask<AddRaftVoterResponse?> AddVoterAsync(ApiCall call, AddRaftVoterRequest request)
    {
        (ErrorCode error, string? message) = Refusal(call.Session) ?? (ErrorCode.UnsupportedVersion, FixedQuorum);
        return new(new AddRaftVoterResponse { ErrorCode = (short)error, ErrorMessage = message });
    }

    public static ValueTask<RemoveRaftVoterResponse?> RemoveVoterAsync(ApiCall call, RemoveRaftVoterRequest request)
    {
        (ErrorCode error, string? message) = Refusal(call.Session) ?? (ErrorCode.UnsupportedVersion, FixedQuorum);
        return new(new RemoveRaftVoterResponse { ErrorCode = (short)error, ErrorMessage = message });
    }

    private static (ErrorCode Error, string? Message)? Refusal(KafkaSession session) =>
        session.MayOnCluster(Permission.Manage) ? null : (ErrorCode.ClusterAuthorizationFailed, null);
}
