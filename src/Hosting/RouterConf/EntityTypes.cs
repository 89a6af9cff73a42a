namespace Pillarbox.Hosting.RouterConf;

/// <summary>The entities of a <c>qdrouterd.conf</c> and their attributes (qpid-dispatch 1.19), one row each.</summary>
internal static class EntityTypes
{
    private const string Outdated = "it has no effect in the router that reads this file either";

    public static readonly IReadOnlyDictionary<string, EntityType> All = new EntityType[]
    {
        new EntityType("router")
            .Takes("id", "mode", "defaultDistribution", "helloIntervalSeconds", "helloMaxAgeSeconds",
                "raIntervalSeconds", "raIntervalFluxSeconds", "remoteLsMaxAgeSeconds")
            .Leaves("threads come from the runtime's pool, as many as are needed", "workerThreads")
            .Leaves("users are in the node's own file: pillarbox user add", "saslConfigDir", "saslConfigName")
            .Leaves("log lines have the time in UTC, with microseconds", "timestampsInUTC", "timestampFormat")
            .Leaves(Outdated, "area", "version", "allowUnsettledMulticast", "allowResumableLinkRoute")
            .Leaves("it is only for people", "metadata", "hostName", "debugDumpFile"),
        new EntityType("listener")
            .Takes("host", "port", "role", "cost", "sslProfile", "authenticatePeer", "requireSsl",
                "requireEncryption", "http", "websockets", "healthz", "metrics", "failoverUrls", "openProperties",
                "policyVhost", "multiTenant", "saslMechanisms", "maxFrameSize", "maxSessions", "maxSessionFrames",
                "idleTimeoutSeconds", "initialHandshakeTimeoutSeconds", "linkCapacity", "stripAnnotations",
                "saslPlugin")
            .Leaves("the host says which addresses are meant", "socketAddressFamily", "protocolFamily")
            .Leaves("the console is the node's own", "httpRootDir", "httpRoot")
            .Leaves("not built yet", "messageLoggingComponents", "logMessage", "trustedCertsFile"),
        new EntityType("connector")
            .Takes("host", "port", "role", "cost", "sslProfile", "verifyHostname", "saslUsername", "saslPassword",
                "failoverUrls", "openProperties", "policyVhost", "saslMechanisms", "maxFrameSize", "maxSessions",
                "maxSessionFrames", "idleTimeoutSeconds", "linkCapacity", "stripAnnotations")
            .Leaves("the host says which addresses are meant", "protocolFamily", "socketAddressFamily")
            .Leaves("not built yet", "allowRedirect", "messageLoggingComponents", "logMessage"),
        new EntityType("sslProfile")
            .Takes("certFile", "privateKeyFile", "caCertFile", "password", "passwordFile", "protocols", "uidFormat",
                "uidNameMappingFile", "displayNameFile")
            .Leaves("the system's own list of ciphers counts", "ciphers"),
        new EntityType("router.config.address")
            .Takes("prefix", "pattern", "distribution", "waypoint", "ingressPhase", "egressPhase", "enableFallback",
                "priority"),
        new EntityType("router.config.linkRoute")
            .Takes("prefix", "pattern", "direction", "dir", "containerId", "connection", "addExternalPrefix",
                "delExternalPrefix")
            .Leaves("link routes are always balanced", "distribution"),
        new EntityType("router.config.autoLink")
            .Takes("address", "addr", "direction", "dir", "phase", "containerId", "connection", "externalAddress",
                "externalAddr", "fallback"),
        new EntityType("log")
            .Takes("module", "enable", "outputFile", "includeTimestamp", "timestamp")
            .Leaves("lines do not name places in the source", "includeSource", "source"),
        new EntityType("policy")
            .Takes("maxConnections", "maxMessageSize", "enableVhostPolicy", "enableVhostNamePatterns", "policyDir",
                "defaultVhost"),
        new EntityType("vhost")
            .Takes("hostname", "id", "aliases", "maxConnections", "maxMessageSize", "maxConnectionsPerUser",
                "maxConnectionsPerHost", "allowUnknownUser", "groups"),
        new EntityType("vhostUserGroupSettings")
            .Takes("users", "remoteHosts", "maxConnectionsPerUser", "maxConnectionsPerHost", "maxMessageSize",
                "maxFrameSize", "maxSessionWindow", "maxSessions", "maxSenders", "maxReceivers", "allowDynamicSource",
                "allowAnonymousSender", "allowUserIdProxy", "allowWaypointLinks", "allowFallbackLinks",
                "allowDynamicLinkRoutes", "allowAdminStatusUpdate", "sources", "targets", "sourcePattern",
                "targetPattern"),
        new EntityType("authServicePlugin")
            .Takes("host", "port", "realm", "sslProfile", "authService", "saslInitHostname", "authSslProfile"),
        new EntityType("router.config.exchange").Refused("exchanges were an experiment and are not taken"),
        new EntityType("router.config.binding").Refused("bindings were an experiment and are not taken"),
        new EntityType("console").Refused("it has no effect in the router that reads this file either: leave it out"),
        new EntityType("tcpListener").Takes("host", "port", "address")
            .Leaves("it is only for people", "siteId"),
        new EntityType("tcpConnector").Takes("host", "port", "address")
            .Leaves("it is only for people", "siteId"),
        new EntityType("httpListener").Refused("HTTP adaptors are not taken: use a TCP service"),
        new EntityType("httpConnector").Refused("HTTP adaptors are not taken: use a TCP service"),
    }.ToDictionary(type => type.Name);
}
