using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.Containers;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Management.Views;

/// <summary>What the router shows of itself. Any thread.</summary>
/// <param name="gate">The network's lock.</param>
/// <param name="options">The node.</param>
/// <param name="owners">Who has what is configured.</param>
/// <param name="neighbors">The other routers.</param>
/// <param name="routes">The addresses in use.</param>
/// <param name="containers">The brokers and other containers.</param>
internal sealed class NetworkViews(
    Lock gate, NodeNetworkOptions options, EntityOwners owners, Neighbors neighbors, RouteTable routes,
    ContainerLinks containers)
{
    private static readonly string ProductVersion =
        typeof(NodeNetwork).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "0";

    /// <summary>Where the node's connections and links come from; said before the first connection.</summary>
    public Func<TrafficFacts> Traffic { get; set; } = () => TrafficFacts.None;

    /// <summary>Where the latest lines of the node's log come from, the oldest first; null: there is only what the
    /// router noticed of others. Said before the first connection.</summary>
    public Func<IReadOnlyList<LogLine>>? Log { get; set; }

    /// <summary>Who is at the other end of connections of edges, see <see cref="RouterView.Near"/>. Under the network's
    /// lock.</summary>
    public required Func<IEnumerable<string>> Near { get; init; }

    /// <summary>The router at this moment.</summary>
    public RouterView View()
    {
        TrafficFacts traffic = Traffic();
        ImmutableArray<ConfiguredEntity> configured = [.. options.Configured, .. owners.Entities];
        lock (gate)
        {
            RouteSnapshot network = neighbors.Snapshot;
            long nowUnixMs = options.Time.GetUtcNow().ToUnixTimeMilliseconds();
            return new RouterView
            {
                Routes = network,
                Near = [.. Near()],
                Mode = options.Mode.ToString().ToLowerInvariant(),
                Version = ProductVersion,
                HostName = Environment.MachineName,
                Instance = neighbors.Instance,
                UptimeSeconds = (nowUnixMs / 1000) - neighbors.Instance,
                WorkerThreads = Environment.ProcessorCount,
                MemoryUsageBytes = Environment.WorkingSet,
                EngineClockOffsetMs = nowUnixMs - neighbors.NowMs,
                Deliveries = CounterViews.Of(traffic.Totals),
                LinksBlocked = traffic.Links.Count(link => link.IsBlocked && !link.IsTrunk),
                Connections = [.. traffic.Connections.Select(c => TrafficViews.Of(c, nowUnixMs, traffic))],
                Links = [.. traffic.Links.Select(link => TrafficViews.Of(link, routes.Keys))],
                Addresses = [.. AddressesOf(network), .. containers.Views(network)],
                Configured = configured,
                Log = Log is { } log ? [.. log()] : [.. neighbors.Noticed.Lines],
            };
        }
    }

    private IEnumerable<AddressView> AddressesOf(RouteSnapshot network) => routes.All.Where(IsShown)
        .OrderBy(route => route.Key, StringComparer.Ordinal).Select(route => ViewOf(route, network));

    private static bool IsShown(Route route) =>
        route.Key[0] is 'M' or 'L' && !BrokerMark.Is(route.Parsed.Name);

    private static AddressView ViewOf(Route route, RouteSnapshot network) => CounterViews.Fill(
        new AddressView
        {
            Key = route.Key,
            Treatment = route.Treatment,
            InProcess = route.CountOf(OutletPlace.Inside),
            Subscribers = route.LocalCount - route.CountOf(OutletPlace.Inside),
            Containers = route.CountOf(OutletPlace.RouteContainer),
            RemoteRouters = network.IdsOf(network.RoutersOf(route.Key)),
            Priority = route.Priority ?? -1,
        },
        route, network);
}
