using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AddRaftVoter: the quorum is fixed as that of a cluster is whose voters stand in its
/// configuration.</summary>
internal static class AddRaftVoterApi
{
    public static ValueTask<AddRaftVoterResponse?> HandleAsync(ApiCall call, AddRaftVoterRequest request)
    {
        (ErrorCode error, string? message) = FixedQuorum.Refuse(call.Session);
        return new(new AddRaftVoterResponse { ErrorCode = (short)error, ErrorMessage = message });
    }
}
