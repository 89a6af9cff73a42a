using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The entities <c>policy</c> and <c>vhost</c> of a <c>qdrouterd.conf</c>.</summary>
internal static class PolicyMapper
{
    private const string GroupType = "vhostUserGroupSettings";
    private const int CountMax = 65535;

    public static RouterPolicyConfig PolicyOf(EntityReader reader) => new()
    {
        MaxConnections = reader.Number("maxConnections", CountMax, 0, int.MaxValue),
        MaxMessageSize = reader.Number("maxMessageSize", 0, 0, int.MaxValue),
        EnableVhostPolicy = reader.Truth("enableVhostPolicy"),
        EnableVhostNamePatterns = reader.Truth("enableVhostNamePatterns"),
        PolicyDir = reader.Text("policyDir"),
        DefaultVhost = reader.Has("defaultVhost") ? reader.Text("defaultVhost") ?? "" : "$default",
    };

    /// <summary>A virtual host with its name.</summary>
    public static (string Name, VhostConfig Vhost) VhostOf(EntityReader reader) =>
        (reader.Require("hostname", outdatedName: "id"), new VhostConfig
        {
            Name = reader.Text("name"),
            Aliases = reader.Texts("aliases"),
            MaxConnections = reader.Number("maxConnections", CountMax, 0, int.MaxValue),
            MaxConnectionsPerUser = reader.Number("maxConnectionsPerUser", CountMax, 0, int.MaxValue),
            MaxConnectionsPerHost = reader.Number("maxConnectionsPerHost", CountMax, 0, int.MaxValue),
            MaxMessageSize = Count(reader, "maxMessageSize"),
            AllowUnknownUser = reader.Truth("allowUnknownUser"),
            Groups = reader.Parts("groups", GroupType).ToDictionary(
                part => part.Name, part => GroupOf(part.Reader), StringComparer.Ordinal),
        });

    private static VhostGroupConfig GroupOf(EntityReader reader) => new()
    {
        Users = reader.Texts("users"),
        RemoteHosts = reader.Texts("remoteHosts"),
        MaxConnectionsPerUser = Count(reader, "maxConnectionsPerUser"),
        MaxConnectionsPerHost = Count(reader, "maxConnectionsPerHost"),
        MaxMessageSize = Count(reader, "maxMessageSize"),
        MaxFrameSize = Count(reader, "maxFrameSize"),
        MaxSessionWindow = Count(reader, "maxSessionWindow"),
        MaxSessions = Count(reader, "maxSessions"),
        MaxSenders = reader.Number("maxSenders", int.MaxValue, 0, int.MaxValue),
        MaxReceivers = reader.Number("maxReceivers", int.MaxValue, 0, int.MaxValue),
        AllowDynamicSource = reader.Truth("allowDynamicSource"),
        AllowAnonymousSender = reader.Truth("allowAnonymousSender"),
        AllowUserIdProxy = reader.Truth("allowUserIdProxy"),
        AllowWaypointLinks = reader.Truth("allowWaypointLinks", true),
        AllowFallbackLinks = reader.Truth("allowFallbackLinks", true),
        AllowDynamicLinkRoutes = reader.Truth("allowDynamicLinkRoutes", true),
        AllowAdminStatusUpdate = reader.Truth("allowAdminStatusUpdate", true),
        Sources = reader.Texts("sources"),
        Targets = reader.Texts("targets"),
        SourcePattern = reader.Texts("sourcePattern"),
        TargetPattern = reader.Texts("targetPattern"),
    };

    private static int? Count(EntityReader reader, string attribute) =>
        reader.Has(attribute) ? reader.Number(attribute, 0, 0, int.MaxValue) : null;
}
