using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>What routers say of themselves in the properties of open.</summary>
internal static class RouterOpen
{
    /// <summary>What a node calls itself.</summary>
    public const string Product = "pillarbox";

    private const string AnnotationsVersion = "qd.annotations-version";
    private const string InterRouterCost = "qd.inter-router-cost";

    /// <summary>The capability of routers that take messages without an end in sight on links of their own.</summary>
    public const string StreamingLinks = "qd.streaming-links";

    /// <summary>Sessions that are not for such links.</summary>
    private const int OtherSessions = 16;

    /// <summary>How many links the peer takes for messages without an end in sight; 0: none.</summary>
    public static int StreamLinksOf(Open? peer, AmqpOptions options) =>
        peer?.OfferedCapabilities?.Contains(StreamingLinks) != true ? 0
            : Math.Clamp(
                Math.Min(peer.ChannelMax, options.ChannelMaxOf(ConnectionRole.InterRouter)) - OtherSessions, 0,
                TrunkStreams.LinksMax);

    /// <summary>Adds what another router wants to know.</summary>
    public static void AddTo(AmqpMap properties, ConnectionPlan plan)
    {
        properties.AddSymbol(AnnotationsVersion, 1);
        if (plan.Cost > 1)
        {
            properties.AddSymbol(InterRouterCost, plan.Cost);
        }
    }

    /// <summary>The larger of both ends' costs.</summary>
    public static int CostOf(Open? peer, ConnectionPlan plan) =>
        peer?.Properties is { } properties && properties.TryGet(InterRouterCost, out AmqpValue value)
            && value.TryGetInt64(out long cost)
            ? (int)Math.Clamp(cost, plan.Cost, int.MaxValue)
            : plan.Cost;

    /// <summary>Whether the peer is a node like this one.</summary>
    public static bool IsAlike(Open? peer) =>
        peer?.Properties is { } properties && properties.TryGet("product", out AmqpValue value)
            && value.AsText() == Product;
}
