using System.CommandLine;
using System.Globalization;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Router;

/// <summary><c>pillarbox router …</c></summary>
internal static class RouterCommands
{
    private const string Root = "/api/v1/router";

    public static Command Create() =>
        new("router", "The network of routers: run, show, nodes, links, addresses, connections, path, trace; query, "
            + "create, update and delete what is configured.")
        {
            RouterRunCommand.Create(), Show(), Nodes(), Links(), Addresses(), Connections(), Path(), Trace(),
            RouterEntityCommands.Query(), RouterEntityCommands.Make(), RouterEntityCommands.Update(),
            RouterEntityCommands.Delete(),
        };

    private static Command Show() =>
        new ApiVerb("show", "Show the node as a router.").Watches().Reads(async (api, _, stop) =>
        {
            RouterResource router = await api.GetAsync(Root, ApiJson.Default.RouterResource, stop);
            return new Reading(
                () => Output.Json(router, ApiJson.Default.RouterResource),
                () => Output.Fields(
                [
                    ("id", router.Id), ("mode", router.Mode), ("version", router.Version),
                    ("uptime seconds", $"{router.UptimeSeconds}"), ("other routers", $"{router.Nodes}"),
                    ("radius", $"{router.Radius}"), ("connections", $"{router.Connections}"),
                    ("links", $"{router.Links}"), ("addresses", $"{router.Addresses}"),
                    ("from clients", $"{router.Deliveries.Ingress}"), ("to clients", $"{router.Deliveries.Egress}"),
                    ("to other routers", $"{router.Deliveries.Transit}"), ("accepted", $"{router.Deliveries.Accepted}"),
                    ("rejected", $"{router.Deliveries.Rejected}"), ("released", $"{router.Deliveries.Released}"),
                    ("modified", $"{router.Deliveries.Modified}"), ("pre-settled", $"{router.Deliveries.Presettled}"),
                    ("dropped", $"{router.Deliveries.DroppedPresettled}"),
                    ("delayed over 1 s", $"{router.Deliveries.Delayed1Sec}"),
                    ("delayed over 10 s", $"{router.Deliveries.Delayed10Sec}"),
                    ("stuck", $"{router.Deliveries.Stuck}"), ("blocked links", $"{router.LinksBlocked}"),
                ]));
        });

    private static Command Nodes() =>
        new ApiVerb("nodes", "List the routers of the network.").Watches().Reads(async (api, _, stop) =>
        {
            var nodes = await api.ListAsync(Root + "/nodes", ApiJson.Default.PageRouterNodeResource, stop);
            string[] headings = ["id", "next hop", "cost#", "neighbors", "valid origins", "started"];
            return new Reading(
                () => Output.Json(PageOf(nodes), ApiJson.Default.PageRouterNodeResource),
                () => Output.Table(headings, nodes.Select(Row)));
        });

    private static string[] Row(RouterNodeResource node) =>
    [
        node.Id, node.NextHop ?? "unreachable", node.Cost?.ToString(CultureInfo.InvariantCulture) ?? "",
        string.Join(' ', node.Neighbors.Select(n => n.Value == 1 ? n.Key : $"{n.Key}({n.Value})")),
        string.Join(' ', node.ValidOrigins), $"{node.StartedAt:yyyy-MM-ddTHH:mm:ssZ}",
    ];

    private static Command Links() =>
        new ApiVerb("links", "List the links through the network.").Watches().Reads(async (api, _, stop) =>
        {
            var links = await api.ListAsync(Root + "/links", ApiJson.Default.PageRouterLinkResource, stop);
            string[] headings =
            [
                "id", "type", "dir", "connection", "address", "capacity#", "credit#", "deliveries#", "undelivered#",
                "unsettled#", "acc#", "rej#", "rel#", "mod#", "presett#", "delay#", "stuck#", "rate#", "name",
            ];
            return new Reading(
                () => Output.Json(PageOf(links), ApiJson.Default.PageRouterLinkResource),
                () => Output.Table(headings, links.Select(l => (string[])
                [
                    l.Id, l.Type, l.Direction, l.ConnectionId, l.Address ?? "", $"{l.Capacity}", $"{l.Credit}",
                    $"{l.Deliveries}", $"{l.Undelivered}", $"{l.Unsettled}", $"{l.Outcomes.Accepted}",
                    $"{l.Outcomes.Rejected}", $"{l.Outcomes.Released}", $"{l.Outcomes.Modified}",
                    $"{l.Outcomes.Presettled}", $"{l.Outcomes.Delayed1Sec + l.Outcomes.Delayed10Sec}",
                    $"{l.Outcomes.Stuck}", $"{l.SettleRate}", l.Name,
                ])));
        });

    private static Command Addresses() =>
        new ApiVerb("addresses", "List the addresses of the network.").Watches().Reads(async (api, _, stop) =>
        {
            var addresses = await api.ListAsync(Root + "/addresses", ApiJson.Default.PageRouterAddressResource, stop);
            string[] headings =
                ["key", "distribution", "in process#", "consumers#", "in#", "out#", "through#", "to node#", "routers"];
            return new Reading(
                () => Output.Json(PageOf(addresses), ApiJson.Default.PageRouterAddressResource),
                () => Output.Table(headings, addresses.Select(a => (string[])
                [
                    a.Key, a.Distribution, $"{a.InProcess}", $"{a.Subscribers}", $"{a.Ingress}", $"{a.Egress}",
                    $"{a.Transit}", $"{a.ToContainer}", string.Join(' ', a.Routers),
                ])));
        });

    private static Command Connections() =>
        new ApiVerb("connections", "List the AMQP connections.").Watches().Reads(async (api, _, stop) =>
        {
            var connections =
                await api.ListAsync(Root + "/connections", ApiJson.Default.PageRouterConnectionResource, stop);
            string[] headings = ["id", "host", "container", "role", "dir", "security", "user", "uptime#"];
            return new Reading(
                () => Output.Json(PageOf(connections), ApiJson.Default.PageRouterConnectionResource),
                () => Output.Table(headings, connections.Select(c => (string[])
                [
                    c.Id, c.Host, c.Container, c.Role, c.Direction, c.Encrypted ? "TLS" : "none",
                    c.User is null ? "" : $"{c.User}({c.Mechanism})", $"{c.UptimeSeconds}",
                ])));
        });

    private static Command Path()
    {
        Argument<string> from = new("from") { Description = "The id of the first router." };
        Argument<string> to = new("to") { Description = "The id of the last router." };
        ApiVerb verb = new("path", "Show the way between two routers.") { from, to };
        return verb.Watches().Reads(async (api, parsed, stop) =>
        {
            string query = $"?from={ApiClient.Part(parsed.GetValue(from)!)}&to={ApiClient.Part(parsed.GetValue(to)!)}";
            IReadOnlyList<RouterHopResource> path = await api.GetAsync(
                Root + "/path" + query, ApiJson.Default.IReadOnlyListRouterHopResource, stop);
            return new Reading(
                () => Output.Json(path, ApiJson.Default.IReadOnlyListRouterHopResource),
                () => Output.Table(["router", "cost#"], path.Select(h => (string[])[h.Router, $"{h.Cost}"])));
        });
    }

    private static Command Trace()
    {
        Argument<string> address = new("address") { Description = "The address." };
        ApiVerb verb = new("trace", "Show where messages to an address go from this node.") { address };
        return verb.Watches().Reads(async (api, parsed, stop) =>
        {
            string query = $"?address={ApiClient.Part(parsed.GetValue(address)!)}";
            RouterTraceResource trace =
                await api.GetAsync(Root + "/trace" + query, ApiJson.Default.RouterTraceResource, stop);
            return new Reading(
                () => Output.Json(trace, ApiJson.Default.RouterTraceResource),
                () => Output.Table(["router", "cost#", "distribution", "way"], trace.Destinations.Select(d => (string[])
                [
                    d.Router, $"{d.Cost}", trace.Distribution, string.Join(" -> ", d.Path),
                ])));
        });
    }

    private static Page<T> PageOf<T>(IReadOnlyList<T> items) => new(items, items.Count, 1, items.Count);
}
