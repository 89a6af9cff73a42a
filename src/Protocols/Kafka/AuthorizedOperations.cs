using Pillarbox.Broker.Security;

namespace Pillarbox.Protocols.Kafka;

/// <summary>What a client may do, as the bits of the protocol's ACL operations.</summary>
internal static class AuthorizedOperations
{
    private const int Read = 1 << 3;
    private const int Write = 1 << 4;
    private const int Create = 1 << 5;
    private const int Delete = 1 << 6;
    private const int Alter = 1 << 7;
    private const int Describe = 1 << 8;
    private const int ClusterAction = 1 << 9;
    private const int DescribeConfigs = 1 << 10;
    private const int AlterConfigs = 1 << 11;
    private const int IdempotentWrite = 1 << 12;

    private static readonly (Permission Permission, int Bits)[] Meanings =
    [
        (Permission.Consume, Read | Describe),
        (Permission.Send, Write | Describe),
        (Permission.CreateAddress, Create),
        (Permission.DeleteAddress, Delete | Describe),
        (Permission.Manage, Alter | Describe),
        (Permission.View, Describe | DescribeConfigs),
        (Permission.Edit, AlterConfigs | DescribeConfigs),
    ];

    /// <summary>On a topic.</summary>
    public static int OfTopic(KafkaSession session, string topic) => Of(session, topic, ResourceKind.Address);

    private static int Of(KafkaSession session, string name, ResourceKind kind)
    {
        int bits = 0;
        foreach ((Permission permission, int given) in Meanings)
        {
            bits |= session.May(permission, name, kind) ? given : 0;
        }

        return bits;
    }

    /// <summary>On a group: the permissions of the address with its name.</summary>
    public static int OfGroup(KafkaSession session, string group) =>
        Of(session, group, ResourceKind.Group) & (Read | Delete | Describe);

    /// <summary>On the cluster: what every address allows.</summary>
    public static int OfCluster(KafkaSession session)
    {
        int bits = Of(session, "#", ResourceKind.Space) & ~Write & ~Read;
        bits |= session.MayWriteIdempotently ? IdempotentWrite : 0;
        return (bits & Alter) == 0 ? bits : bits | ClusterAction;
    }
}
