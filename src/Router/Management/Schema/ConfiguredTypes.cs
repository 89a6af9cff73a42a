using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management.Schema;

/// <summary>What an operator configures, with the defaults of the protocol's peers.</summary>
internal static class ConfiguredTypes
{
    private const long CountMax = 65535;
    private const long LinksMax = int.MaxValue;

    private static readonly string[] Roles = ["normal", "inter-router", "route-container", "edge"];
    private static readonly string[] Strips = ["both", "in", "out", "no"];
    private static readonly string[] Families = ["", "IPv4", "IPv6"];

    public static EntityType[] All =>
    [
        Listener(), Connector(), TlsProfile(), AuthService(), ConfiguredAddress(), LinkRoute(), AutoLink(),
        ConnectionLinkRoute(), Log(), LogStats(), Policy(), Vhost(), VhostGroup(), VhostStats(), Allocator(),
        TcpPlace("tcpListener"), TcpPlace("tcpConnector"),
    ];

    private static EntityType Listener() => Type(
        "listener",
        ["CREATE", "DELETE"],
        Setting.Text("host", ""),
        Setting.Text("port", "amqp"),
        Setting.Word("socketAddressFamily", Families),
        Setting.Word("role", Roles),
        Setting.Number("cost", 1),
        Setting.Text("sslProfile"),
        Setting.Text("saslMechanisms"),
        Setting.Flag("authenticatePeer", false),
        Setting.Text("saslPlugin"),
        Setting.Flag("requireEncryption", false),
        Setting.Flag("requireSsl", false),
        Setting.Number("maxFrameSize", 16384),
        Setting.Number("maxSessions", 32768),
        Setting.Number("maxSessionFrames"),
        Setting.Number("idleTimeoutSeconds", 16),
        Setting.Number("initialHandshakeTimeoutSeconds", 0),
        Setting.Word("stripAnnotations", Strips),
        Setting.Number("linkCapacity"),
        Setting.Flag("multiTenant", false),
        Setting.Text("failoverUrls"),
        Setting.Flag("healthz", true),
        Setting.Flag("metrics", true),
        Setting.Flag("websockets", true),
        Setting.Flag("http", false),
        Setting.Text("httpRootDir"),
        Setting.Text("messageLoggingComponents", "none"),
        Setting.Text("policyVhost"),
        Setting.Map("openProperties"));

    private static EntityType Connector() => Type(
        "connector",
        ["CREATE", "DELETE"],
        Setting.Text("host", "127.0.0.1"),
        Setting.Text("port", "amqp"),
        Setting.Word("protocolFamily", Families),
        Setting.Word("role", Roles),
        Setting.Number("cost", 1),
        Setting.Text("sslProfile"),
        Setting.Text("saslMechanisms"),
        Setting.Flag("allowRedirect", true),
        Setting.Number("maxFrameSize", 16384),
        Setting.Number("maxSessions", 32768),
        Setting.Number("maxSessionFrames"),
        Setting.Number("idleTimeoutSeconds", 16),
        Setting.Word("stripAnnotations", Strips),
        Setting.Number("linkCapacity"),
        Setting.Flag("verifyHostname", true),
        Setting.Text("saslUsername"),
        Setting.Text("saslPassword") with { IsSecret = true },
        Setting.Text("messageLoggingComponents", "none"),
        Setting.State("failoverUrls"),
        Setting.State("connectionStatus"),
        Setting.State("connectionMsg"),
        Setting.Text("policyVhost"),
        Setting.Map("openProperties"));

    private static EntityType TlsProfile() => Type(
        "sslProfile",
        ["CREATE", "DELETE"],
        Setting.Text("ciphers"),
        Setting.Text("protocols"),
        Setting.Text("caCertFile"),
        Setting.Text("certFile"),
        Setting.Text("privateKeyFile"),
        Setting.Text("passwordFile"),
        Setting.Text("password") with { IsSecret = true },
        Setting.Text("uidFormat"),
        Setting.Text("uidNameMappingFile") with { OldName = "displayNameFile" });

    private static EntityType AuthService() => Type(
        "authServicePlugin",
        ["CREATE", "DELETE"],
        Setting.Text("host", ""),
        Setting.Text("port", "amqp"),
        Setting.Text("realm"),
        Setting.Text("sslProfile"));

    private static EntityType ConfiguredAddress() => Type(
        "router.config.address",
        ["CREATE", "DELETE"],
        Setting.Text("prefix"),
        Setting.Text("pattern"),
        Setting.Word("distribution", "balanced", "multicast", "closest", "unavailable"),
        Setting.Flag("waypoint", false),
        Setting.Number("ingressPhase"),
        Setting.Number("egressPhase"),
        Setting.Number("priority"),
        Setting.Flag("enableFallback", false) with { OldName = "fallback" });

    private static EntityType LinkRoute() => Type(
        "router.config.linkRoute",
        ["CREATE", "DELETE"],
        Setting.Text("prefix"),
        Setting.Text("pattern"),
        Setting.Text("addExternalPrefix"),
        Setting.Text("delExternalPrefix"),
        Setting.Text("containerId"),
        Setting.Text("connection"),
        Setting.Word("distribution", "linkBalanced"),
        Direction(),
        Setting.State("operStatus"));

    private static EntityType AutoLink() => Type(
        "router.config.autoLink",
        ["CREATE", "DELETE"],
        Setting.Text("address") with { IsRequired = true, OldName = "addr" },
        Direction(),
        Setting.Number("phase"),
        Setting.Text("containerId"),
        Setting.Text("connection"),
        Setting.Text("externalAddress") with { OldName = "externalAddr" },
        Setting.Flag("fallback", false),
        Setting.State("linkRef"),
        Setting.State("operStatus"),
        Setting.State("lastError"));

    private static EntityType ConnectionLinkRoute() => Type(
        "router.connection.linkRoute",
        ["CREATE", "DELETE"],
        Setting.Text("pattern") with { IsRequired = true },
        Direction(),
        Setting.State("containerId"));

    private static EntityType Log() => Type(
        "log",
        ["UPDATE"],
        Setting.State("module"),
        Setting.Text("enable", "default") with { IsUpdatable = true },
        Setting.Flag("includeTimestamp") with { IsUpdatable = true, OldName = "timestamp" },
        Setting.Flag("includeSource") with { IsUpdatable = true, OldName = "source" },
        Setting.Text("outputFile") with { IsUpdatable = true });

    private static EntityType LogStats() => Type(
        "logStats",
        [],
        [
            .. Numbers("traceCount", "debugCount", "infoCount", "noticeCount"),
            .. Numbers("warningCount", "errorCount", "criticalCount"),
        ]);

    private static EntityType Policy() => Type(
        "policy",
        [],
        Setting.Number("maxConnections", CountMax),
        Setting.Number("maxMessageSize", 0),
        Setting.Flag("enableVhostPolicy", false),
        Setting.Flag("enableVhostNamePatterns", false),
        Setting.Text("policyDir", ""),
        Setting.Text("defaultVhost", "$default"),
        Setting.State("connectionsProcessed", AttributeKind.Number),
        Setting.State("connectionsDenied", AttributeKind.Number),
        Setting.State("connectionsCurrent", AttributeKind.Number),
        Setting.State("linksDenied", AttributeKind.Number),
        Setting.State("maxMessageSizeDenied", AttributeKind.Number),
        Setting.State("totalDenials", AttributeKind.Number));

    private static EntityType Vhost() => Type(
        "vhost",
        ["CREATE", "UPDATE", "DELETE"],
        Setting.Text("hostname") with { IsRequired = true },
        Setting.Text("aliases") with { IsUpdatable = true },
        Setting.Number("maxConnections", CountMax) with { IsUpdatable = true },
        Setting.Number("maxMessageSize") with { IsUpdatable = true },
        Setting.Number("maxConnectionsPerUser", CountMax) with { IsUpdatable = true },
        Setting.Number("maxConnectionsPerHost", CountMax) with { IsUpdatable = true },
        Setting.Flag("allowUnknownUser", false) with { IsUpdatable = true },
        Setting.Map("groups") with { IsUpdatable = true });

    // Groups stand within their virtual hosts: the type says what they may hold, and has no entities.
    private static EntityType VhostGroup() => Type(
        "vhostUserGroupSettings",
        [],
        Setting.Text("users"),
        Setting.Text("remoteHosts"),
        Setting.Number("maxConnectionsPerUser"),
        Setting.Number("maxConnectionsPerHost"),
        Setting.Number("maxMessageSize"),
        Setting.Number("maxFrameSize"),
        Setting.Number("maxSessionWindow"),
        Setting.Number("maxSessions"),
        Setting.Number("maxSenders", LinksMax),
        Setting.Number("maxReceivers", LinksMax),
        Setting.Flag("allowDynamicSource", false),
        Setting.Flag("allowAnonymousSender", false),
        Setting.Flag("allowUserIdProxy", false),
        Setting.Flag("allowWaypointLinks", true),
        Setting.Flag("allowFallbackLinks", true),
        Setting.Flag("allowDynamicLinkRoutes", true),
        Setting.Flag("allowAdminStatusUpdate", true),
        Setting.Text("sources"),
        Setting.Text("targets"),
        Setting.Text("sourcePattern"),
        Setting.Text("targetPattern"));

    private static EntityType VhostStats() => Type(
        "vhostStats",
        [],
        [
            Setting.State("id"),
            Setting.State("hostname"),
            .. Numbers("connectionsApproved", "connectionsDenied", "connectionsCurrent"),
            Setting.State("perUserState", AttributeKind.Map),
            Setting.State("perHostState", AttributeKind.Map),
            .. Numbers("sessionDenied", "senderDenied", "receiverDenied", "maxMessageSizeDenied"),
        ]);

    // Memory is the runtime's: the type is there for the tools, and has no entities.
    private static EntityType Allocator() => Type(
        "allocator",
        [],
        [
            Setting.State("typeName"),
            .. Numbers("typeSize", "transferBatchSize", "localFreeListMax", "globalFreeListMax", "totalAllocFromHeap"),
            .. Numbers("totalFreeToHeap", "heldByThreads", "batchesRebalancedToThreads", "batchesRebalancedToGlobal"),
        ]);

    private static EntityType TcpPlace(string name) => Type(
        name,
        ["CREATE", "DELETE"],
        [
            Setting.Text("address") with { IsRequired = true },
            Setting.Text("host", name == "tcpListener" ? "" : "127.0.0.1"),
            Setting.Text("port") with { IsRequired = true },
            Setting.Text("siteId"),
            .. Numbers("connectionsOpened", "connectionsClosed", "bytesIn", "bytesOut"),
            Setting.State("operStatus"),
        ]);

    private static EntityAttribute Direction() => Setting.Word("direction", "in", "out") with
    {
        IsRequired = true,
        Default = default,
        OldName = "dir",
    };

    private static IEnumerable<EntityAttribute> Numbers(params string[] names) =>
        names.Select(name => Setting.State(name, AttributeKind.Number));

    private static EntityType Type(string name, string[] operations, params EntityAttribute[] attributes) => new(
        name, view => view.Configured.Where(c => c.Type == name), attributes)
    {
        Base = "configurationEntity",
        Operations = [.. operations],
        Named = item => (((ConfiguredEntity)item).Identity, ((ConfiguredEntity)item).Name),
    };
}
