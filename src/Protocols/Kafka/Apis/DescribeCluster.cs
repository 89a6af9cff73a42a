using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeCluster: this node is all of it.</summary>
internal static class DescribeClusterApi
{
    private const sbyte Brokers = 1;

    public static ValueTask<DescribeClusterResponse?> HandleAsync(ApiCall call, DescribeClusterRequest request)
    {
        KafkaSession session = call.Session;
        KafkaOptions options = session.Environment.Options;
        if (request.EndpointType != Brokers)
        {
            return new(new DescribeClusterResponse
            {
                ErrorCode = (short)ErrorCode.MismatchedEndpointType,
                ErrorMessage = "this is an endpoint of brokers",
                EndpointType = Brokers,
            });
        }

        return new(new DescribeClusterResponse
        {
            EndpointType = Brokers,
            ClusterId = options.ClusterId,
            ControllerId = options.NodeId,
            Brokers = [new() { BrokerId = options.NodeId, Host = session.Peer.Host, Port = session.Peer.Port }],
            ClusterAuthorizedOperations = request.IncludeClusterAuthorizedOperations
                ? AuthorizedOperations.OfCluster(session)
                : int.MinValue,
        });
    }
}
