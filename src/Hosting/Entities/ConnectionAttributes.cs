using System.Collections.Immutable;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Hosting.Entities;

/// <summary>What management shows of the configuration of a listener or connector: what counts for its connections, in
/// the words of a <c>qdrouterd.conf</c>. Pure.</summary>
internal static class ConnectionAttributes
{
    private const int MsOfSecond = 1000;

    /// <summary>A listener's.</summary>
    /// <param name="config">The node's configuration.</param>
    /// <param name="listener">The listener's.</param>
    /// <param name="role">What connects there.</param>
    public static ImmutableDictionary<string, AmqpValue> Of(
        PillarboxConfig config, ListenerConfig listener, ConnectionRole role)
    {
        AmqpOptions limits = LimitsOf(config, listener.Connections);
        bool isSecure = listener.Tls is not null;
        return Common(config, listener.Connections, limits, role)
            .Add("cost", (long)listener.Cost)
            .Add("multiTenant", listener.MultiTenant)
            .Add("authenticatePeer", IsLoginAsked(config, listener))
            .Add("requireSsl", isSecure)
            .Add("requireEncryption", isSecure)
            .Add("initialHandshakeTimeoutSeconds", (long)limits.HandshakeTimeoutMs / MsOfSecond)
            .Add("websockets", listener.WebSockets)
            .Add("healthz", listener.Health)
            .Add("metrics", listener.Metrics)
            .AddText("sslProfile", listener.Tls?.Profile)
            .AddText("saslPlugin", listener.LoginService?.Name)
            .AddText("policyVhost", listener.PolicyVhost)
            .AddText("failoverUrls", string.Join(", ", listener.FailoverUrls))
            .AddMap("openProperties", listener.OpenProperties);
    }

    /// <summary>A connector's.</summary>
    /// <param name="config">The node's configuration.</param>
    /// <param name="connector">The connector's.</param>
    public static ImmutableDictionary<string, AmqpValue> Of(PillarboxConfig config, ConnectorConfig connector) =>
        Common(config, connector.Connections, LimitsOf(config, connector.Connections), connector.Role)
            .Add("cost", (long)connector.Cost)
            .Add("verifyHostname", connector.Tls?.VerifyName ?? true)
            .Add("allowRedirect", connector.FollowsPeers)
            .AddText("sslProfile", connector.Tls?.Profile)
            .AddText("saslUsername", connector.User)
            .AddText("policyVhost", connector.PolicyVhost)
            .AddMap("openProperties", connector.OpenProperties);

    private static ImmutableDictionary<string, AmqpValue> Common(
        PillarboxConfig config, ConnectionsConfig? connections, AmqpOptions limits, ConnectionRole role) =>
        ImmutableDictionary<string, AmqpValue>.Empty
            .Add("role", RouterEntities.NameOf(role))
            .Add("maxFrameSize", (long)limits.MaxFrameBytes)
            .Add("maxSessions", limits.ChannelMaxOf(role) + 1L)
            .Add("idleTimeoutSeconds", (long)limits.IdleTimeoutMsOf(role) / MsOfSecond)
            .Add("linkCapacity", (long)(connections?.LinkCapacity ?? config.Router?.LinkCapacity ?? 0))
            .Add("stripAnnotations", connections?.ShowsRouterNotes == true ? "in" : "both")
            .AddText("saslMechanisms", string.Join(' ', connections?.Mechanisms ?? []))
            .AddCount("maxSessionFrames", connections?.SessionFramesMax);

    private static AmqpOptions LimitsOf(PillarboxConfig config, ConnectionsConfig? connections)
    {
        AmqpOptions node = NodeAmqp.LimitsOf(config);
        return connections?.ToLimits().Apply(node) ?? node;
    }

    private static bool IsLoginAsked(PillarboxConfig config, ListenerConfig listener) =>
        listener.Connections?.LoginRequired
        ?? (listener.LoginService is not null || (config.Security.Required && !config.Security.AllowAnonymous));

    private static ImmutableDictionary<string, AmqpValue> AddText(
        this ImmutableDictionary<string, AmqpValue> attributes, string name, string? text) =>
        string.IsNullOrEmpty(text) ? attributes : attributes.Add(name, text);

    private static ImmutableDictionary<string, AmqpValue> AddCount(
        this ImmutableDictionary<string, AmqpValue> attributes, string name, int? count) =>
        count is { } number ? attributes.Add(name, (long)number) : attributes;

    private static ImmutableDictionary<string, AmqpValue> AddMap(
        this ImmutableDictionary<string, AmqpValue> attributes, string name, IReadOnlyDictionary<string, string> texts)
    {
        if (texts.Count == 0)
        {
            return attributes;
        }

        var map = new AmqpMap();
        foreach ((string key, string value) in texts)
        {
            map.Add(key, value);
        }

        return attributes.Add(name, AmqpValue.Map(map));
    }
}
