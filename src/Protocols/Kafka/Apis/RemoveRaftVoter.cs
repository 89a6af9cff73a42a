using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>RemoveRaftVoter: the quorum is fixed as that of a cluster is whose voters stand in its
/// configuration.</summary>
internal static class RemoveRaftVoterApi
{
    public static ValueTask<RemoveRaftVoterResponse?> HandleAsync(ApiCall call, RemoveRaftVoterRequest request)
    {
        (ErrorCode error, string? message) = FixedQuorum.Refuse(call.Session);
        return new(new RemoveRaftVoterResponse { ErrorCode = (short)error, ErrorMessage = message });
    }
}
