using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>FindCoordinator: this node coordinates every group (key type 0), transaction (1) and share group (2).
/// </summary>
internal static class FindCoordinatorApi
{
    private const sbyte Group = 0;
    private const sbyte Transaction = 1;
    private const sbyte Share = 2;

    public static ValueTask<FindCoordinatorResponse?> HandleAsync(ApiCall call, FindCoordinatorRequest request)
    {
        KafkaSession session = call.Session;
        if (call.Version < 4)
        {
            ErrorCode error = Check(session, request.KeyType, request.Key);
            return new(new FindCoordinatorResponse
            {
                ErrorCode = (short)error,
                NodeId = error == ErrorCode.None ? session.NodeId : -1,
                Host = error == ErrorCode.None ? session.Peer.Host : "",
                Port = error == ErrorCode.None ? session.Peer.Port : -1,
            });
        }

        return new(new FindCoordinatorResponse
        {
            Coordinators = Array.ConvertAll(request.CoordinatorKeys, key => Find(session, request.KeyType, key)),
        });
    }

    private static FindCoordinatorResponse.Coordinator Find(KafkaSession session, sbyte type, string key)
    {
        ErrorCode error = Check(session, type, key);
        return error != ErrorCode.None
            ? new() { Key = key, NodeId = -1, Port = -1, ErrorCode = (short)error }
            : new() { Key = key, NodeId = session.NodeId, Host = session.Peer.Host, Port = session.Peer.Port };
    }

    private static ErrorCode Check(KafkaSession session, sbyte type, string key) => type switch
    {
        Group when !session.MaySeeGroup(key) => ErrorCode.GroupAuthorizationFailed,
        Transaction when !session.MaySeeTransaction(key) => ErrorCode.TransactionalIdAuthorizationFailed,
        Group or Transaction or Share => ErrorCode.None,
        _ => ErrorCode.InvalidRequest,
    };
}
