using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router;

/// <content>What the router shows of itself, and its management agent in the network.</content>
public sealed partial class NodeNetwork
{
    private static readonly string ProductVersion =
        typeof(NodeNetwork).Assembly.GetName().Version?.ToString(fieldCount: 3) ?? "0";

    /// <summary>Lines of the log that the agent gives out.</summary>
    private const int LogLinesMax = 500;

    private readonly Queue<LogLine> _logLines = [];
    private readonly long _instance;
    private Func<TrafficFacts> _traffic = () => TrafficFacts.None;
    private Func<long, bool> _close = _ => false;
    private Func<IReadOnlyList<LogLine>>? _log;

    /// <summary>
    /// Where the view gets the node's connections and links from, and who closes a connection; said before the first
    /// connection.
    /// </summary>
    public void Observe(Func<TrafficFacts> traffic, Func<long, bool> close) => (_traffic, _close) = (traffic, close);

    /// <summary>Where the view gets the latest lines of the node's log from, the oldest first; otherwise it has only
    /// what the router noticed of others. Said before the first connection.</summary>
    public void ObserveLog(Func<IReadOnlyList<LogLine>> latest) => _log = latest;

    /// <summary>Who has what is configured, and changes it while the node runs.</summary>
    public EntityOwners Owners { get; } = new();

    /// <summary>Answers a request, and carries out what it asks for. Any thread.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">Who asks.</param>
    public async ValueTask<ManagementReply> ManageAsync(ManagementRequest request, ServiceCaller caller)
    {
        ManagementAnswer answer = ManagementAgent.Handle(request, View());
        return answer.Reply ?? answer.ReplyAfter(await CarryAsync(answer.Command!, caller));
    }

    /// <summary>The router at this moment. Any thread.</summary>
    public RouterView View()
    {
        TrafficFacts traffic = _traffic();
        ImmutableArray<ConfiguredEntity> configured = [.. _options.Configured, .. Owners.Entities];
        lock (_gate)
        {
            RouteSnapshot network = _engine.Snapshot;
            long nowUnixMs = _options.Time.GetUtcNow().ToUnixTimeMilliseconds();
            return new RouterView
            {
                Routes = network,
                Mode = _options.Mode.ToString().ToLowerInvariant(),
                Version = ProductVersion,
                HostName = Environment.MachineName,
                Instance = _instance,
                UptimeSeconds = (nowUnixMs / 1000) - _instance,
                WorkerThreads = Environment.ProcessorCount,
                MemoryUsageBytes = Environment.WorkingSet,
                EngineClockOffsetMs = nowUnixMs - NowMs,
                Deliveries = CounterViews.Of(traffic.Totals),
                LinksBlocked = traffic.Links.Count(l => l.IsBlocked && !l.IsTrunk),
                Connections =
                    [.. traffic.Connections.Select(c => ViewOf(c, nowUnixMs, LastDeliveryOf(c.Id, traffic)))],
                Links = [.. traffic.Links.Select(ViewOf)],
                Addresses = [.. _routes.Values.Where(IsShown).OrderBy(r => r.Key, StringComparer.Ordinal).Select(
                    r => ViewOf(r, network)), .. LinkRouteViews(network)],
                Configured = configured,
                Log = _log is { } log ? [.. log()] : [.. _logLines],
            };
        }
    }

    // Under the lock. The module names are those that the tools of other routers know.
    private void Note(in RouterEvent happened)
    {
        string module = happened.Kind switch
        {
            RouterEventKind.NeighborUp or RouterEventKind.NeighborLost or RouterEventKind.DuplicateId
                or RouterEventKind.WrongId => "ROUTER_HELLO",
            RouterEventKind.TooManyAddresses => "ROUTER_MA",
            _ => "ROUTER_LS",
        };
        if (_logLines.Count >= LogLinesMax)
        {
            _logLines.Dequeue();
        }

        string text = $"{happened.Kind} {happened.Router} {happened.Detail}".TrimEnd();
        _logLines.Enqueue(new LogLine(_options.Time.GetUtcNow().ToUnixTimeSeconds(), module, "info", text));
    }

    // What is shown here is for anyone who may send to the address; what is changed, for who may manage the node.
    private void ServeManagement()
    {
        NetworkService? agent = null;
        var service = new NetworkService(this, (message, caller) => Answer(agent!, message, caller));
        agent = service;
        Serve(ManagementAgent.Address, service);
        Serve("amqp:/_local/" + ManagementAgent.Address, service);
    }

    // Edges say that they are there, and ask.
    private void ServeEdges()
    {
        if (_options.Mode == RouterMode.Interior)
        {
            Serve(EdgeServices.Heartbeat, new NetworkService(this, static (_, _) => null));
            Serve(EdgeServices.Lookup, new NetworkService(
                this, (message, caller) => EdgeServices.AnswerLookup(
                    message.Span, HasDestinations, (name, toSend) => HasContainer(name, toSend, caller.Carrier),
                    BrokerOf)));
        }
    }

    private void Serve(string address, NetworkService service)
    {
        if (RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            var rule = new AddressRule { Pattern = parsed.Name, Treatment = AddressTreatment.Closest };
            Route route = Open(parsed, rule, phase: 0);
            route.IsOfNode = true;
            route.AddLocal(service);
            Refresh(route);
        }
    }

    private bool HasDestinations(string address) =>
        RouteAddress.TryParse(address, out RouteAddress parsed)
        && _routes.TryGetValue(KeyOf(parsed, Rules.For(parsed.Name).IngressPhase), out Route? route)
            && route.Targets.Any;

    private ServiceMessage? Answer(NetworkService agent, ReadOnlyMemory<byte> message, ServiceCaller caller)
    {
        if (!ManagementRequest.TryRead(message.Span, out ManagementRequest? request))
        {
            return null;
        }

        ValueTask<ManagementReply> reply = ManageAsync(request, caller);
        if (reply.IsCompletedSuccessfully)
        {
            return AnswerOf(request, reply.Result);
        }

        _ = AnswerLaterAsync(agent, request, reply);
        return null;
    }

    private static ServiceMessage AnswerOf(ManagementRequest request, ManagementReply reply) =>
        new(request.ReplyTo, reply.ToMessage(request).ToArray());

    private static readonly CommandResult Forbidden =
        new("You are not allowed to perform this operation.", ManagementStatus.Forbidden);

    // A change that takes a while, such as a port that is opened.
    private static async Task AnswerLaterAsync(
        NetworkService agent, ManagementRequest request, ValueTask<ManagementReply> reply) =>
        agent.Send(AnswerOf(request, await reply));

    private ValueTask<CommandResult> CarryAsync(RouterCommand command, ServiceCaller caller) => command switch
    {
        // What a connection makes for itself is a matter of its policy.
        CreateEntity { Type: ConnectionRoutes.Type } create => new(ConnectionRoutes.Create(this, create, caller)),
        DeleteEntity { Entity.Type: ConnectionRoutes.Type } delete =>
            new(ConnectionRoutes.Delete(this, delete, caller)),
        _ when !caller.MayManage() => new(Forbidden),
        CloseConnection when caller.Policy is { AllowsAdminStatusUpdate: false } => new(Forbidden),
        CloseConnection close when _close(close.ConnectionId) => new(CommandResult.Done()),
        CloseConnection => new(new CommandResult("The connection is gone", ManagementStatus.NotFound)),
        CreateEntity or UpdateEntity or DeleteEntity => Owners.CarryAsync(command),
        _ => new(new CommandResult("Links and traces cannot be switched", ManagementStatus.NotImplemented)),
    };

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

    private static long? LastDeliveryOf(long connection, TrafficFacts traffic)
    {
        long last = traffic.Links.Where(l => l.ConnectionId == connection)
            .Select(l => l.LastDeliveryMs).DefaultIfEmpty().Max();
        return last == 0 ? null : last;
    }

    private static ConnectionView ViewOf(ConnectionFacts facts, long nowUnixMs, long? lastDeliveryMs) => new()
    {
        Id = facts.Id,
        Host = facts.RemoteEndPoint,
        Container = facts.Container,
        Tenant = facts.Tenant,
        Role = facts.Plan.Role switch
        {
            ConnectionRole.InterRouter => "inter-router",
            ConnectionRole.Edge => "edge",
            ConnectionRole.RouteContainer => "route-container",
            _ => "normal",
        },
        Direction = facts.Plan.IsInitiator ? "out" : "in",
        IsOpened = facts.IsOpened,
        // Who says that he is nobody has said so by SASL.
        IsAuthenticated = facts.SaslMechanism is not null,
        User = facts.User ?? (facts.SaslMechanism is null ? null : Model.Identity.Anonymous.Name),
        Sasl = facts.SaslMechanism,
        IsEncrypted = facts.IsEncrypted,
        TlsProtocol = facts.TlsProtocol,
        TlsCipher = facts.TlsCipher,
        TlsBits = facts.TlsBits,
        UptimeSeconds = (nowUnixMs - facts.SinceUnixMs) / 1000,
        LastDeliverySeconds = (nowUnixMs - lastDeliveryMs) / 1000,
        Properties = facts.Properties,
    };

    private LinkView ViewOf(LinkFacts facts) => new()
    {
        Id = facts.Id,
        Name = facts.Name,
        ConnectionId = facts.ConnectionId,
        Type = facts.Kind switch
        {
            RoutedLinkKind.Control => "router-control",
            RoutedLinkKind.Router => "inter-router",
            RoutedLinkKind.Downlink => "edge-downlink",
            _ => "endpoint",
        },
        Peer = facts.OtherHalf,
        Direction = facts.IsIncoming ? "in" : "out",
        OwningAddress = facts.IsHalf ? facts.Address
            : facts.Address is { } address && RouteAddress.TryParse(address, out RouteAddress parsed)
            ? KeyOf(parsed, phase: 0)
            : null,
        Capacity = facts.Capacity,
        Credit = facts.Credit,
        Priority = facts.Priority,
        DeliveryCount = facts.Totals.Deliveries,
        Deliveries = CounterViews.Of(facts.Totals),
        Undelivered = facts.Undelivered,
        Unsettled = facts.Unsettled,
        ZeroCreditSeconds = facts.ZeroCreditMs / 1000,
        SettleRate = facts.SettleRate,
        IngressHistogram = [.. facts.IngressHistogram],
    };
}
