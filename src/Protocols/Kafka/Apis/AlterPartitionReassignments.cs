using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AlterPartitionReassignments: one node has nowhere to move anything but where it is.</summary>
internal static class AlterPartitionReassignmentsApi
{
    public static ValueTask<AlterPartitionReassignmentsResponse?> HandleAsync(
        ApiCall call, AlterPartitionReassignmentsRequest request) =>
        new(new AlterPartitionReassignmentsResponse
        {
            ErrorCode = (short)(call.Session.MayOnCluster(Permission.Manage)
                ? ErrorCode.None
                : ErrorCode.ClusterAuthorizationFailed),
            AllowReplicationFactorChange = request.AllowReplicationFactorChange,
            Responses = !call.Session.MayOnCluster(Permission.Manage) ? [] : Array.ConvertAll(request.Topics, topic =>
                new AlterPartitionReassignmentsResponse.ReassignableTopicResponse
                {
                    Name = topic.Name,
                    Partitions = Array.ConvertAll(topic.Partitions, wanted => Answer(call.Session, topic.Name, wanted)),
                }),
        });

    private static AlterPartitionReassignmentsResponse.ReassignablePartitionResponse Answer(
        KafkaSession session, string topic, AlterPartitionReassignmentsRequest.ReassignablePartition wanted)
    {
        ErrorCode error = wanted.Replicas switch
        {
            _ when session.Streams.Find(topic)?.FindPartition(wanted.PartitionIndex) is null =>
                ErrorCode.UnknownTopicOrPartition,
            null => ErrorCode.NoReassignmentInProgress,
            [var id] when id == session.NodeId => ErrorCode.None,
            _ => ErrorCode.InvalidReplicaAssignment,
        };
        return new() { PartitionIndex = wanted.PartitionIndex, ErrorCode = (short)error };
    }
}
