using Pillarbox.Broker;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;
using RouterLinkView = Pillarbox.Router.Management.Views.LinkView;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/router</c>: the node in its network; everything is read only.</summary>
internal static class RouterResources
{
    private const string Root = "/api/v1/router";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", Root, "The node as a router.", ShowAsync) { Answer = ApiJson.Default.RouterResource },
        new("GET", Root + "/nodes", "Routers of the network by id, this one among them.", NodesAsync)
        {
            Answer = ApiJson.Default.PageRouterNodeResource,
            Query = Paging.Parameters,
        },
        new("GET", Root + "/links", "Links through the network.", LinksAsync)
        {
            Answer = ApiJson.Default.PageRouterLinkResource,
            Query = Paging.Parameters,
        },
        new("GET", Root + "/addresses", "Addresses of the network.", AddressesAsync)
        {
            Answer = ApiJson.Default.PageRouterAddressResource,
            Query = Paging.Parameters,
        },
        new("GET", Root + "/connections", "AMQP connections, those to other routers among them.", ConnectionsAsync)
        {
            Answer = ApiJson.Default.PageRouterConnectionResource,
            Query = Paging.Parameters,
        },
        new("GET", Root + "/path", "The way between two routers.", PathAsync)
        {
            Answer = ApiJson.Default.IReadOnlyListRouterHopResource,
            Query =
            [
                new QueryParameter("from", "string", "The id of the first router."),
                new QueryParameter("to", "string", "The id of the last router."),
            ],
        },
        new("GET", Root + "/trace", "Where messages to an address go from this node.", TraceAsync)
        {
            Answer = ApiJson.Default.RouterTraceResource,
            Query = [new QueryParameter("address", "string", "The address.")],
        },
    ];

    private static RouterView ViewOf(ApiRequest request)
    {
        request.RequireView();
        return request.Services.Router?.Invoke()
            ?? throw new BrokerException(BrokerError.NotFound, "this node is in no network");
    }

    private static Task ShowAsync(ApiRequest request)
    {
        RouterView view = ViewOf(request);
        return request.AnswerAsync(
            new RouterResource
            {
                Id = view.Id,
                Mode = view.Mode,
                Version = view.Version,
                UptimeSeconds = view.UptimeSeconds,
                Nodes = view.Routes.Routers.Length,
                Connections = view.Connections.Length,
                Links = view.Links.Length,
                Addresses = view.Addresses.Length,
                Radius = view.Routes.Radius,
                Deliveries = Show(view.Deliveries),
                LinksBlocked = view.LinksBlocked,
            },
            ApiJson.Default.RouterResource);
    }

    private static Task NodesAsync(ApiRequest request)
    {
        RouterView view = ViewOf(request);
        RouterNodeResource self = new()
        {
            Id = view.Id,
            NextHop = "(self)",
            Cost = 0,
            Neighbors = NeighborsOf(view.Routes.OwnPeers),
            ValidOrigins = [],
            StartedAt = TimeOf(view.Instance),
        };
        RouterNodeResource[] all = [self, .. view.Routes.Routers.Select(r => Show(r, view.Routes))];
        return request.AnswerAsync(
            Paging.Cut(request, all, n => n.Id, n => n), ApiJson.Default.PageRouterNodeResource);
    }

    private static RouterNodeResource Show(RouterRoute route, RouteSnapshot network) => new()
    {
        Id = route.Id,
        NextHop = route.NextHopId,
        Cost = route.NextHopId is null ? null : route.Cost,
        Neighbors = NeighborsOf(route.Peers),
        ValidOrigins = network.IdsOf(route.ValidOrigins),
        StartedAt = TimeOf(route.Instance),
    };

    private static Task LinksAsync(ApiRequest request) => request.AnswerAsync(
        Paging.Cut(request, ViewOf(request).Links, l => $"{l.Name} {l.OwningAddress}", Show, l => l.Id),
        ApiJson.Default.PageRouterLinkResource);

    private static RouterLinkResource Show(RouterLinkView link) => new()
    {
        Id = $"{link.Id}",
        Type = link.Type,
        Direction = link.Direction,
        ConnectionId = $"{link.ConnectionId}",
        Name = link.Name,
        Address = link.OwningAddress,
        Capacity = link.Capacity,
        Credit = link.Credit,
        Priority = link.Priority,
        Deliveries = link.DeliveryCount,
        Undelivered = link.Undelivered,
        Unsettled = link.Unsettled,
        Outcomes = Show(link.Deliveries),
        SettleRate = link.SettleRate,
        ZeroCreditSeconds = link.ZeroCreditSeconds,
    };

    private static RouterDeliveriesResource Show(DeliveryCounters counters) => new()
    {
        Presettled = counters.Presettled,
        DroppedPresettled = counters.DroppedPresettled,
        Accepted = counters.Accepted,
        Rejected = counters.Rejected,
        Released = counters.Released,
        Modified = counters.Modified,
        Delayed1Sec = counters.Delayed1Sec,
        Delayed10Sec = counters.Delayed10Sec,
        Stuck = counters.Stuck,
        Ingress = counters.Ingress,
        Egress = counters.Egress,
        Transit = counters.Transit,
    };

    private static Task AddressesAsync(ApiRequest request) => request.AnswerAsync(
        Paging.Cut(request, ViewOf(request).Addresses, a => a.Key, a => new RouterAddressResource
        {
            Key = a.Key,
            Distribution = NameOf(a.Treatment),
            InProcess = a.InProcess,
            Subscribers = a.Subscribers,
            Routers = a.RemoteRouters,
            Priority = a.Priority,
            Ingress = a.Ingress,
            Egress = a.Egress,
            Transit = a.Transit,
            ToContainer = a.ToContainer,
            FromContainer = a.FromContainer,
            ToFallback = a.RedirectedToFallback,
        }),
        ApiJson.Default.PageRouterAddressResource);

    private static Task ConnectionsAsync(ApiRequest request) => request.AnswerAsync(
        Paging.Cut(request, ViewOf(request).Connections, c => $"{c.Container} {c.Host}", c =>
            new RouterConnectionResource
            {
                Id = $"{c.Id}",
                Host = c.Host,
                Container = c.Container,
                Role = c.Role,
                Direction = c.Direction,
                Encrypted = c.IsEncrypted,
                User = c.User,
                Mechanism = c.Sasl,
                UptimeSeconds = c.UptimeSeconds,
            },
            c => c.Id),
        ApiJson.Default.PageRouterConnectionResource);

    private static Task PathAsync(ApiRequest request)
    {
        RouterView view = ViewOf(request);
        string from = Needed(request, "from");
        string to = Needed(request, "to");
        IReadOnlyList<PathHop> path = RoutePath.Find(view.Routes, from, to, view.Near);
        return path.Count == 0
            ? throw new BrokerException(BrokerError.NotFound, $"there is no way from '{from}' to '{to}'")
            : request.AnswerAsync<IReadOnlyList<RouterHopResource>>(
                [.. path.Select(hop => new RouterHopResource(hop.Id, hop.Cost))],
                ApiJson.Default.IReadOnlyListRouterHopResource);
    }

    private static Task TraceAsync(ApiRequest request)
    {
        RouterView view = ViewOf(request);
        string address = Needed(request, "address");
        AddressView found = view.Addresses.FirstOrDefault(a => a.Key == AddressKey.Mobile(address) || a.Key == address)
            ?? throw new BrokerException(BrokerError.NotFound, $"nobody sends to '{address}' or draws from it");
        RouterDestinationResource[] own = found.Subscribers + found.InProcess > 0
            ? [new RouterDestinationResource(view.Id, 0, [view.Id])]
            : [];
        RouterDestinationResource[] others =
        [
            .. found.RemoteRouters.Select(id => Destination(id, RoutePath.Find(view.Routes, view.Id, id))),
        ];
        return request.AnswerAsync(
            new RouterTraceResource
            {
                Address = found.Key,
                Distribution = NameOf(found.Treatment),
                Destinations = [.. own, .. others.OrderBy(d => d.Cost)],
            },
            ApiJson.Default.RouterTraceResource);
    }

    private static RouterDestinationResource Destination(string id, IReadOnlyList<PathHop> path) =>
        new(id, path.Count == 0 ? -1 : path[^1].Cost, [.. path.Select(hop => hop.Id)]);

    private static string Needed(ApiRequest request, string name) => request.Text(name)
        ?? throw new BrokerException(BrokerError.InvalidField, $"{name} has to be given");

    private static Dictionary<string, int> NeighborsOf(IEnumerable<PeerCost> peers) =>
        peers.ToDictionary(p => p.Id, p => p.Cost, StringComparer.Ordinal);

    private static DateTimeOffset? TimeOf(long instance) =>
        instance is > 0 and < 1L << 37 ? DateTimeOffset.FromUnixTimeSeconds(instance) : null;

    private static string NameOf(AddressTreatment treatment) => treatment.ToString().ToLowerInvariant();
}
