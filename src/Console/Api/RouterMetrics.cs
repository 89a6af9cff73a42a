using Pillarbox.Router.Management.Views;

namespace Pillarbox.ConsoleApi;

/// <summary>The figures of a node's router for <c>/metrics</c>, under the names that dashboards of the protocol's peers
/// know.</summary>
internal static class RouterMetrics
{
    private sealed record Figure(string Name, string Type, string Help, Func<RouterView, long> Value);

    private static readonly Figure[] Figures =
    [
        new("qdr_connections_total", "gauge", "Connections of the router.", v => v.Connections.Length),
        new("qdr_links_total", "gauge", "Links of the router.", v => v.Links.Length),
        new("qdr_addresses_total", "gauge", "Addresses that the router knows.", v => v.Addresses.Length),
        new("qdr_routers_total", "gauge", "Other routers that it knows.", v => v.Routes.Routers.Length),
        new("qdr_link_routes_total", "gauge", "Link routes.", v => v.CountOf("router.config.linkRoute")),
        new("qdr_auto_links_total", "gauge", "Auto links.", v => v.CountOf("router.config.autoLink")),
        new("qdr_links_blocked_total", "gauge", "Links without credit for 10 seconds.", v => v.LinksBlocked),
        Deliveries("presettled_deliveries", "Deliveries that came settled.", d => d.Presettled),
        Deliveries("dropped_presettled_deliveries", "Of those, dropped.", d => d.DroppedPresettled),
        Deliveries("accepted_deliveries", "Deliveries accepted.", d => d.Accepted),
        Deliveries("rejected_deliveries", "Deliveries rejected.", d => d.Rejected),
        Deliveries("released_deliveries", "Deliveries released.", d => d.Released),
        Deliveries("modified_deliveries", "Deliveries modified.", d => d.Modified),
        Deliveries("deliveries_ingress", "Deliveries from clients.", d => d.Ingress),
        Deliveries("deliveries_egress", "Deliveries to clients.", d => d.Egress),
        Deliveries("deliveries_transit", "Deliveries that went to another router.", d => d.Transit),
        Deliveries(
            "deliveries_ingress_route_container", "Deliveries from brokers.", d => d.IngressRouteContainer),
        Deliveries("deliveries_egress_route_container", "Deliveries to brokers.", d => d.EgressRouteContainer),
        Deliveries("deliveries_delayed_1sec", "Deliveries settled after a second.", d => d.Delayed1Sec),
        Deliveries("deliveries_delayed_10sec", "Deliveries settled after ten seconds.", d => d.Delayed10Sec),
        Deliveries("deliveries_stuck", "Deliveries found unsettled after ten seconds.", d => d.Stuck),
        Deliveries(
            "deliveries_redirected_to_fallback", "Deliveries to fallback destinations.", d => d.RedirectedToFallback),
    ];

    /// <summary>Writes them.</summary>
    public static void Write(MetricsText text, RouterView view)
    {
        foreach (Figure figure in Figures)
        {
            text.Single(figure.Name, figure.Type, figure.Help, figure.Value(view));
        }
    }

    private static Figure Deliveries(string name, string help, Func<DeliveryCounters, long> value) =>
        new($"qdr_{name}_total", "counter", help, v => value(v.Deliveries));
}
