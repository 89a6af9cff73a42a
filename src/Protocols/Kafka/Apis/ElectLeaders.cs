using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ElectLeaders: every partition is led by this node, so no election is needed.</summary>
internal static class ElectLeadersApi
{
    public static ValueTask<ElectLeadersResponse?> HandleAsync(ApiCall call, ElectLeadersRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayOnCluster(Permission.Manage))
        {
            return new(new ElectLeadersResponse { ErrorCode = (short)ErrorCode.ClusterAuthorizationFailed });
        }

        return new(new ElectLeadersResponse
        {
            ReplicaElectionResults = Array.ConvertAll(request.TopicPartitions ?? [], topic =>
                new ElectLeadersResponse.ReplicaElectionResult
                {
                    Topic = topic.Topic,
                    PartitionResult = Array.ConvertAll(topic.Partitions, p => new ElectLeadersResponse.PartitionResult
                    {
                        PartitionId = p,
                        ErrorMessage = null,
                        ErrorCode = (short)(session.Streams.Find(topic.Topic)?.FindPartition(p) is null
                            ? ErrorCode.UnknownTopicOrPartition
                            : ErrorCode.ElectionNotNeeded),
                    }),
                }),
        });
    }
}
