using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>What the node says in its open (part 2 section 2.7.1).</summary>
internal static class OwnOpen
{
    /// <summary>The capability of a container that wants no second connection of its name.</summary>
    public const string SoleConnection = "sole-connection-for-container";

    /// <summary>Messages that are delivered not before a time: the annotations x-opt-delivery-time and
    /// x-opt-delivery-delay.</summary>
    public const string DelayedDelivery = "DELAYED_DELIVERY";

    private static readonly string[] Capabilities =
        ["ANONYMOUS-RELAY", DelayedDelivery, "SHARED-SUBS", SoleConnection];

    /// <param name="options">The limits of the connection.</param>
    /// <param name="plan">What the node takes it for.</param>
    /// <param name="network">The network that the node is in; null: none.</param>
    /// <param name="isRefused">A close follows at once, and a client is not to take the connection for made.</param>
    public static Open Of(AmqpOptions options, ConnectionPlan plan, INetwork? network, bool isRefused)
    {
        var properties = new AmqpMap();
        if (isRefused)
        {
            properties.AddSymbol("amqp:connection-establishment-failed", true);
        }

        properties.AddSymbol("product", RouterOpen.Product);
        properties.AddSymbol("version", options.Version);
        if (network is not null && plan.Role is ConnectionRole.InterRouter or ConnectionRole.Edge)
        {
            RouterOpen.AddTo(properties, plan);
        }

        AddPlanned(properties, plan);
        return new Open
        {
            ContainerId = network?.NodeId ?? options.ContainerId,
            Hostname = plan.Hostname,
            MaxFrameSize = (uint)options.MaxFrameBytes,
            ChannelMax = options.ChannelMaxOf(plan.Role),
            IdleTimeoutMs = options.IdleTimeoutMsOf(plan.Role) is var idle and > 0 ? (uint)Math.Max(1, idle / 2) : null,
            OfferedCapabilities = plan.Role == ConnectionRole.InterRouter
                ? [.. Capabilities, RouterOpen.StreamingLinks] : Capabilities,
            Properties = properties,
        };
    }

    // What the operator has said about this listener or connector.
    private static void AddPlanned(AmqpMap properties, ConnectionPlan plan)
    {
        foreach ((string key, string value) in plan.OpenProperties)
        {
            properties.AddSymbol(key, value);
        }

        if (plan.Failover is { } failover)
        {
            properties.AddSymbol(FailoverList.Property, FailoverList.Write(failover));
        }
    }
}
