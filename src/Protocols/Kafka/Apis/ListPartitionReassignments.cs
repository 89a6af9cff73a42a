using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ListPartitionReassignments: one node has nowhere to move anything.</summary>
internal static class ListPartitionReassignmentsApi
{
    public static ValueTask<ListPartitionReassignmentsResponse?> HandleAsync(
        ApiCall call, ListPartitionReassignmentsRequest request) => new(new ListPartitionReassignmentsResponse
        {
            ErrorCode = (short)(call.Session.MayOnCluster(Permission.View)
                ? ErrorCode.None
                : ErrorCode.ClusterAuthorizationFailed),
        });
}
