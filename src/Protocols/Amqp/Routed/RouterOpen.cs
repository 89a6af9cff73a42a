using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>What routers say of themselves in the properties of open.</summary>
internal static class RouterOpen
{
    /// <summary>What a node calls itself.</summary>
    public const string Product = "pillarbox";

    private const string AnnotationsVersion = "qd.annotations-version";
    private const string InterRouterCost = "qd.inter-router-cost";

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
