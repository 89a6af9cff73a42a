using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>The mechanisms of SCRAM in the protocol's numbers, and who may see and change verifiers.</summary>
internal static class ScramMechanisms
{
    private static readonly string[] Names = ["", SaslServers.ScramSha256, SaslServers.ScramSha512];

    public static bool IsKnown(sbyte number) => number > 0 && number < Names.Length;

    /// <summary>The name of a known number.</summary>
    public static string NameOf(sbyte number) => Names[number];

    public static sbyte NumberOf(string name) => (sbyte)Array.IndexOf(Names, name);

    /// <summary>None: it may. The node's users are all tenants': who belongs to one does not see them.</summary>
    public static ErrorCode Check(KafkaSession session, Permission permission) =>
        session.Environment.Sasl.Users is null ? ErrorCode.SecurityDisabled
        : session.Identity!.AddressSpace is not null || !session.MayOnCluster(permission)
            ? ErrorCode.ClusterAuthorizationFailed
        : ErrorCode.None;
}
