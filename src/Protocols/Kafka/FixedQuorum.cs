using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>The quorum of one node, which does not change.</summary>
internal static class FixedQuorum
{
    /// <summary>What who wants to change it is told.</summary>
    public static (ErrorCode Error, string? Message) Refuse(KafkaSession session) =>
        session.MayOnCluster(Permission.Manage)
            ? (ErrorCode.UnsupportedVersion, "the quorum is this node alone and cannot be changed")
            : (ErrorCode.ClusterAuthorizationFailed, null);
}
