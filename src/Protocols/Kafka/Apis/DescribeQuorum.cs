using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeQuorumResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeQuorum: one node is its own quorum. There is no log of its metadata that others could read, so its
/// offsets are 0.</summary>
internal static class DescribeQuorumApi
{
    private const string MetadataTopic = "__cluster_metadata";

    public static ValueTask<DescribeQuorumResponse?> HandleAsync(ApiCall call, DescribeQuorumRequest request)
    {
        KafkaSession session = call.Session;
        if (!session.MayOnCluster(Permission.View))
        {
            return new(new DescribeQuorumResponse { ErrorCode = (short)ErrorCode.ClusterAuthorizationFailed });
        }

        return new(new DescribeQuorumResponse
        {
            Topics = Array.ConvertAll(request.Topics, topic => new TopicData
            {
                TopicName = topic.TopicName,
                Partitions = Array.ConvertAll(
                    topic.Partitions, p => Partition(session, topic.TopicName, p.PartitionIndex)),
            }),
            Nodes =
            [
                new Node
                {
                    NodeId = session.NodeId,
                    Listeners = [new() { Name = "KAFKA", Host = session.Peer.Host, Port = (ushort)session.Peer.Port }],
                },
            ],
        });
    }

    private static PartitionData Partition(KafkaSession session, string topic, int partition)
    {
        if (topic != MetadataTopic || partition != 0)
        {
            return new()
            {
                PartitionIndex = partition,
                ErrorCode = (short)ErrorCode.UnknownTopicOrPartition,
                LeaderId = -1,
            };
        }

        long nowMs = session.Environment.UnixMs;
        return new()
        {
            PartitionIndex = partition,
            LeaderId = session.NodeId,
            CurrentVoters =
            [
                new() { ReplicaId = session.NodeId, LastFetchTimestamp = nowMs, LastCaughtUpTimestamp = nowMs },
            ],
        };
    }
}
