using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ListPartitionReassignments and AlterPartitionReassignments: one node has nowhere to move
/// anything.</summary>
internal static class PartitionReassignmentsApi
{
    public static ValueTask<ListPartitionReassignmentsResponse?> ListAsync(
        ApiCall call, ListPartitionReassignmentsRequest request) => new(new ListPartitionReassignmentsResponse());

    public static ValueTask<AlterPartitionReassignmentsResponse?> AlterAsync(
        ApiCall call, AlterPartitionReassignmentsRequest request) =>
        new(new AlterPartitionReassignmentsResponse
        {
            AllowReplicationFactorChange = request.AllowReplicationFactorChange,
            Responses = Array.ConvertAll(request.Topics, topic =>
                new AlterPartitionReassignmentsResponse.ReassignableTopicResponse
                {
                    Name = topic.Name,
                    Partitions = Array.ConvertAll(topic.Partitions, wanted => Answer(call.Session, wanted)),
                }),
        });

    private static AlterPartitionReassignmentsResponse.ReassignablePartitionResponse Answer(
        KafkaSession session, AlterPartitionReassignmentsRequest.ReassignablePartition wanted)
    {
        ErrorCode error = wanted.Replicas switch
        {
            null => ErrorCode.NoReassignmentInProgress,
            [var id] when id == session.NodeId => ErrorCode.None,
            _ => ErrorCode.InvalidReplicaAssignment,
        };
        return new() { PartitionIndex = wanted.PartitionIndex, ErrorCode = (short)error };
    }
}
