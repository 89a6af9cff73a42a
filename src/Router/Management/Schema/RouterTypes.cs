using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management.Schema;

/// <summary>The router itself, the routers of its network, its links, addresses and connections.</summary>
internal static class RouterTypes
{
    /// <summary>A router in the list of routers; null as route: the router itself.</summary>
    private sealed record NodeItem(RouterView View, RouterRoute? Route)
    {
        public string Id => Route?.Id ?? View.Id;
    }

    public static EntityType[] All => [Router(), Node(), Link(), Address(), Connection()];

    /// <summary>Where a router's management agent is.</summary>
    public static string AgentOf(string id) => $"amqp:/_topo/{ControlAddress.Area}/{id}/$management";

    private static EntityType Router() => new(
        "router",
        view => [view],
        AttributesOf<RouterView>.Text("id", v => v.Id),
        AttributesOf<RouterView>.Text("mode", v => v.Mode),
        AttributesOf<RouterView>.Text("area", _ => ControlAddress.Area),
        AttributesOf<RouterView>.Text("version", v => v.Version),
        AttributesOf<RouterView>.Text("hostName", v => v.HostName),
        AttributesOf<RouterView>.Number("workerThreads", v => v.WorkerThreads),
        AttributesOf<RouterView>.Number("uptimeSeconds", v => v.UptimeSeconds),
        AttributesOf<RouterView>.Number("memoryUsage", v => v.MemoryUsageBytes),
        AttributesOf<RouterView>.Number("addrCount", v => v.Addresses.Length),
        AttributesOf<RouterView>.Number("linkCount", v => v.Links.Length),
        AttributesOf<RouterView>.Number("linksBlocked", v => v.LinksBlocked),
        AttributesOf<RouterView>.Number("blockedLinkCount", v => v.LinksBlocked),
        AttributesOf<RouterView>.Number("nodeCount", v => v.Routes.Routers.Length),
        AttributesOf<RouterView>.Number("linkRouteCount", v => v.CountOf("router.config.linkRoute")),
        AttributesOf<RouterView>.Number("autoLinkCount", v => v.CountOf("router.config.autoLink")),
        AttributesOf<RouterView>.Number("connectionCount", v => v.Connections.Length),
        AttributesOf<RouterView>.Number("presettledDeliveries", v => v.Deliveries.Presettled),
        AttributesOf<RouterView>.Number("droppedPresettledDeliveries", v => v.Deliveries.DroppedPresettled),
        AttributesOf<RouterView>.Number("acceptedDeliveries", v => v.Deliveries.Accepted),
        AttributesOf<RouterView>.Number("rejectedDeliveries", v => v.Deliveries.Rejected),
        AttributesOf<RouterView>.Number("releasedDeliveries", v => v.Deliveries.Released),
        AttributesOf<RouterView>.Number("modifiedDeliveries", v => v.Deliveries.Modified),
        AttributesOf<RouterView>.Number("deliveriesDelayed1Sec", v => v.Deliveries.Delayed1Sec),
        AttributesOf<RouterView>.Number("deliveriesDelayed10Sec", v => v.Deliveries.Delayed10Sec),
        AttributesOf<RouterView>.Number("deliveriesStuck", v => v.Deliveries.Stuck),
        AttributesOf<RouterView>.Number("deliveriesIngress", v => v.Deliveries.Ingress),
        AttributesOf<RouterView>.Number("deliveriesEgress", v => v.Deliveries.Egress),
        AttributesOf<RouterView>.Number("deliveriesTransit", v => v.Deliveries.Transit),
        AttributesOf<RouterView>.Number("deliveriesIngressRouteContainer", v => v.Deliveries.IngressRouteContainer),
        AttributesOf<RouterView>.Number("deliveriesEgressRouteContainer", v => v.Deliveries.EgressRouteContainer),
        AttributesOf<RouterView>.Number("deliveriesRedirectedToFallback", v => v.Deliveries.RedirectedToFallback))
    {
        Base = "configurationEntity",
        Named = item => ($"router/{((RouterView)item).Id}", ((RouterView)item).Id),
    };

    private static EntityType Node() => new(
        "router.node",
        view => [new NodeItem(view, null), .. view.Routes.Routers.Select(r => new NodeItem(view, r))],
        AttributesOf<NodeItem>.Text("id", n => n.Id),
        AttributesOf<NodeItem>.Number("protocolVersion", _ => ControlMessage.Version),
        AttributesOf<NodeItem>.Number("instance", n => n.Route?.Instance ?? n.View.Instance),
        AttributesOf<NodeItem>.Texts("linkState", n => (n.Route?.Peers ?? n.View.Routes.OwnPeers).Select(p => p.Id)),
        AttributesOf<NodeItem>.Text("nextHop", NextHopOf),
        AttributesOf<NodeItem>.Texts("validOrigins", OriginsOf),
        AttributesOf<NodeItem>.Text("address", n => $"amqp:/_topo/{ControlAddress.Area}/{n.Id}"),
        AttributesOf<NodeItem>.Number("routerLink", n => n.Route?.OwnLink),
        AttributesOf<NodeItem>.Number("cost", n => n.Route?.Cost),
        AttributesOf<NodeItem>.Number("lastTopoChange", LastChangeOf),
        AttributesOf<NodeItem>.Number("index", n => n.Route?.Index ?? 0))
    {
        Named = item => ($"router.node/{((NodeItem)item).Id}", $"router.node/{((NodeItem)item).Id}"),
    };

    // The protocol's peers leave the next hop of a neighbour empty.
    private static string? NextHopOf(NodeItem node) =>
        node.Route is null ? "(self)" : node.Route.NextHopId == node.Id ? null : node.Route.NextHopId;

    private static IEnumerable<string> OriginsOf(NodeItem node) =>
        node.Route is null ? [] : node.View.Routes.IdsOf(node.Route.ValidOrigins);

    private static long? LastChangeOf(NodeItem node) => node.Route is not null || node.View.Routes.Version == 0
        ? null
        : (node.View.Routes.LastTopologyChangeMs + node.View.EngineClockOffsetMs) / 1000;

    private static EntityType Link() => new(
        "router.link",
        view => view.Links,
        AttributesOf<LinkView>.Text("adminStatus", l => l.AdminStatus) with { IsUpdatable = true },
        AttributesOf<LinkView>.Text("operStatus", l => l.OperStatus),
        AttributesOf<LinkView>.Text("linkName", l => l.Name),
        AttributesOf<LinkView>.Text("linkType", l => l.Type),
        AttributesOf<LinkView>.Text("linkDir", l => l.Direction),
        AttributesOf<LinkView>.Text("connectionId", l => l.ConnectionId.ToString()),
        AttributesOf<LinkView>.Text("owningAddr", l => l.OwningAddress),
        AttributesOf<LinkView>.Number("capacity", l => l.Capacity),
        AttributesOf<LinkView>.Text("peer", l => l.Peer?.ToString()),
        AttributesOf<LinkView>.Number("undeliveredCount", l => l.Undelivered),
        AttributesOf<LinkView>.Number("unsettledCount", l => l.Unsettled),
        AttributesOf<LinkView>.Number("deliveryCount", l => l.DeliveryCount),
        AttributesOf<LinkView>.Number("presettledCount", l => l.Deliveries.Presettled),
        AttributesOf<LinkView>.Number("droppedPresettledCount", l => l.Deliveries.DroppedPresettled),
        AttributesOf<LinkView>.Number("acceptedCount", l => l.Deliveries.Accepted),
        AttributesOf<LinkView>.Number("rejectedCount", l => l.Deliveries.Rejected),
        AttributesOf<LinkView>.Number("releasedCount", l => l.Deliveries.Released),
        AttributesOf<LinkView>.Number("modifiedCount", l => l.Deliveries.Modified),
        AttributesOf<LinkView>.Number("deliveriesDelayed1Sec", l => l.Deliveries.Delayed1Sec),
        AttributesOf<LinkView>.Number("deliveriesDelayed10Sec", l => l.Deliveries.Delayed10Sec),
        AttributesOf<LinkView>.Number("deliveriesStuck", l => l.Deliveries.Stuck),
        AttributesOf<LinkView>.Number("creditAvailable", l => l.Credit),
        AttributesOf<LinkView>.Number("zeroCreditSeconds", l => l.ZeroCreditSeconds),
        AttributesOf<LinkView>.Number("settleRate", l => l.SettleRate),
        AttributesOf<LinkView>.Numbers("ingressHistogram", l => l.IngressHistogram),
        AttributesOf<LinkView>.Number("priority", l => l.Priority))
    {
        Operations = ["UPDATE"],
        Named = item => (((LinkView)item).Id.ToString(), ((LinkView)item).Name),
    };

    private static EntityType Address() => new(
        "router.address",
        view => view.Addresses,
        AttributesOf<AddressView>.Text("key", a => a.Key),
        AttributesOf<AddressView>.Text("distribution", a => TextOf(a.Treatment)),
        AttributesOf<AddressView>.Number("inProcess", a => a.InProcess),
        AttributesOf<AddressView>.Number("subscriberCount", a => a.Subscribers),
        AttributesOf<AddressView>.Number("remoteCount", a => a.RemoteRouters.Length),
        AttributesOf<AddressView>.Number("containerCount", a => a.Containers),
        AttributesOf<AddressView>.Texts("remoteHostRouters", a => a.RemoteRouters),
        AttributesOf<AddressView>.Numbers("transitOutstanding", a => a.TransitOutstanding),
        AttributesOf<AddressView>.Number("trackedDeliveries", a => a.Tracked),
        AttributesOf<AddressView>.Number("priority", a => a.Priority),
        AttributesOf<AddressView>.Number("deliveriesIngress", a => a.Ingress),
        AttributesOf<AddressView>.Number("deliveriesEgress", a => a.Egress),
        AttributesOf<AddressView>.Number("deliveriesTransit", a => a.Transit),
        AttributesOf<AddressView>.Number("deliveriesToContainer", a => a.ToContainer),
        AttributesOf<AddressView>.Number("deliveriesFromContainer", a => a.FromContainer),
        AttributesOf<AddressView>.Number("deliveriesIngressRouteContainer", a => a.IngressRouteContainer),
        AttributesOf<AddressView>.Number("deliveriesEgressRouteContainer", a => a.EgressRouteContainer),
        AttributesOf<AddressView>.Number("deliveriesRedirectedToFallback", a => a.RedirectedToFallback))
    {
        Named = item => (((AddressView)item).Key, ((AddressView)item).Key),
    };

    private static EntityType Connection() => new(
        "connection",
        view => view.Connections,
        AttributesOf<ConnectionView>.Text("adminStatus", c => c.AdminStatus) with { IsUpdatable = true },
        AttributesOf<ConnectionView>.Text("operStatus", c => c.AdminStatus == "enabled" ? "up" : "closing"),
        AttributesOf<ConnectionView>.Text("protocol", c => c.Protocol),
        AttributesOf<ConnectionView>.Text("container", c => c.Container),
        AttributesOf<ConnectionView>.Flag("opened", c => c.IsOpened),
        AttributesOf<ConnectionView>.Flag("active", c => c.IsActive),
        AttributesOf<ConnectionView>.Text("host", c => c.Host),
        AttributesOf<ConnectionView>.Text("dir", c => c.Direction),
        AttributesOf<ConnectionView>.Text("role", c => c.Role),
        AttributesOf<ConnectionView>.Flag("isAuthenticated", c => c.IsAuthenticated),
        AttributesOf<ConnectionView>.Flag("isEncrypted", c => c.IsEncrypted),
        AttributesOf<ConnectionView>.Flag("enableProtocolTrace", c => c.IsTraced) with { IsUpdatable = true },
        AttributesOf<ConnectionView>.Text("sasl", c => c.Sasl),
        AttributesOf<ConnectionView>.Text("user", c => c.User),
        AttributesOf<ConnectionView>.Flag("ssl", c => c.IsEncrypted),
        AttributesOf<ConnectionView>.Text("sslProto", c => c.TlsProtocol),
        AttributesOf<ConnectionView>.Text("sslCipher", c => c.TlsCipher),
        AttributesOf<ConnectionView>.Number("sslSsf", c => c.TlsBits),
        AttributesOf<ConnectionView>.Text("tenant", c => c.Tenant),
        AttributesOf<ConnectionView>.Number("uptimeSeconds", c => c.UptimeSeconds),
        AttributesOf<ConnectionView>.Number("lastDlvSeconds", c => c.LastDeliverySeconds),
        AttributesOf<ConnectionView>.Map("properties", c => c.Properties ?? new AmqpMap()))
    {
        Operations = ["UPDATE"],
        Named = item => (((ConnectionView)item).Id.ToString(), $"connection/{((ConnectionView)item).Host}"),
    };

    private static string TextOf(AddressTreatment treatment) => treatment switch
    {
        AddressTreatment.MulticastFlood => "flood",
        AddressTreatment.Multicast => "multicast",
        AddressTreatment.Closest => "closest",
        AddressTreatment.LinkBalanced => "linkBalanced",
        AddressTreatment.Unavailable => "unavailable",
        _ => "balanced",
    };
}
