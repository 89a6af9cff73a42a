using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;
using Pillarbox.Router.Peers;
using Pillarbox.Router.Management.Views;

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

    /// <summary>
    /// Where the view gets the node's connections and links from, and who closes a connection; said before the first
    /// connection.
    /// </summary>
    public void Observe(Func<TrafficFacts> traffic, Func<long, bool> close) => (_traffic, _close) = (traffic, close);

    /// <summary>The router at this moment. Any thread.</summary>
    public RouterView View()
    {
        TrafficFacts traffic = _traffic();
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
                Connections = [.. traffic.Connections.Select(c => ViewOf(c, nowUnixMs))],
                Links = [.. traffic.Links.Select(ViewOf)],
                Addresses = [.. _routes.Values.Where(IsShown).OrderBy(r => r.Key, StringComparer.Ordinal).Select(
                    r => ViewOf(r, network)), .. LinkRouteViews(network)],
                Configured = Configured(),
                Log = [.. _logLines],
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

    // What is served here is for anyone who may send to the address: the authorizer says who may.
    private void ServeManagement()
    {
        var service = new NetworkService(this, Answer);
        Serve(ManagementAgent.Address, service);
        Serve("amqp:/_local/" + ManagementAgent.Address, service);
    }

    // Edges say that they are there, and ask.
    private void ServeEdges()
    {
        if (_options.Mode == RouterMode.Interior)
        {
            Serve(EdgeServices.Heartbeat, new NetworkService(this, static _ => null));
            Serve(EdgeServices.Lookup, new NetworkService(
                this, message => EdgeServices.AnswerLookup(message.Span, HasDestinations, HasContainer)));
        }
    }

    private void Serve(string address, NetworkService service)
    {
        if (RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            var rule = new AddressRule { Pattern = parsed.Name, Treatment = AddressTreatment.Closest };
            Route route = Open(parsed, rule, phase: 0);
            route.AddLocal(service);
            Refresh(route);
        }
    }

    private bool HasDestinations(string address) =>
        RouteAddress.TryParse(address, out RouteAddress parsed)
        && _routes.TryGetValue(KeyOf(parsed, _rules.For(parsed.Name).IngressPhase), out Route? route)
            && route.Targets.Any;

    private ServiceMessage? Answer(ReadOnlyMemory<byte> message)
    {
        if (!ManagementRequest.TryRead(message.Span, out ManagementRequest? request))
        {
            return null;
        }

        ManagementAnswer answer = ManagementAgent.Handle(request, View());
        ManagementReply reply = answer.Reply ?? answer.ReplyAfter(Carry(answer.Command!));
        return new ServiceMessage(request.ReplyTo, reply.ToMessage(request).ToArray());
    }

    // The node's configuration is a file, which is read at its start.
    private static readonly CommandResult Refused = new(
        "This node is configured by its file; it cannot be changed while it runs", ManagementStatus.NotImplemented);

    private CommandResult Carry(RouterCommand command) => command switch
    {
        CloseConnection close when _close(close.ConnectionId) => CommandResult.Done(),
        CloseConnection => new CommandResult("The connection is gone", ManagementStatus.NotFound),
        _ => Refused,
    };

    private static bool IsShown(Route route) =>
        route.Parsed.Class is RouteAddressClass.Mobile or RouteAddressClass.Local;

    private static AddressView ViewOf(Route route, RouteSnapshot network)
    {
        bool isService = route.Parsed.Name is ManagementAgent.Address or EdgeServices.Lookup or EdgeServices.Heartbeat;
        return new AddressView
        {
            Key = route.Key,
            Treatment = route.Treatment,
            InProcess = isService ? route.LocalCount : 0,
            Subscribers = isService ? 0 : route.LocalCount,
            RemoteRouters = network.IdsOf(network.RoutersOf(route.Key)),
            RedirectedToFallback = route.Redirected,
        };
    }

    private ImmutableArray<ConfiguredEntity> Configured() =>
    [
        .. _options.Configured,
        .. ConfiguredContainers(),
        new ConfiguredEntity("policy", "policy/0", "policy/0", ImmutableDictionary<string, AmqpValue>.Empty),
        .. _options.Addresses.Select((rule, index) => new ConfiguredEntity(
            "router.config.address",
            $"router.config.address/{index}",
            $"router.config.address/{index}",
            ImmutableDictionary<string, AmqpValue>.Empty
                .Add("pattern", rule.Pattern)
                .Add("distribution", rule.Treatment.ToString().ToLowerInvariant())
                .Add("ingressPhase", (long)rule.IngressPhase)
                .Add("egressPhase", (long)rule.EgressPhase)
                .Add("waypoint", rule.EgressPhase == rule.IngressPhase + 1)
                .Add("enableFallback", rule.HasFallback))),
    ];

    private static ConnectionView ViewOf(ConnectionFacts facts, long nowUnixMs) => new()
    {
        Id = facts.Id,
        Host = facts.RemoteEndPoint,
        Container = facts.Container,
        Role = facts.Plan.Role switch
        {
            ConnectionRole.InterRouter => "inter-router",
            ConnectionRole.Edge => "edge",
            ConnectionRole.RouteContainer => "route-container",
            _ => "normal",
        },
        Direction = facts.Plan.IsInitiator ? "out" : "in",
        IsOpened = facts.IsOpened,
        IsAuthenticated = facts.User is not null,
        User = facts.User,
        Sasl = facts.SaslMechanism,
        IsEncrypted = facts.IsEncrypted,
        TlsProtocol = facts.IsEncrypted ? "TLS" : null,
        UptimeSeconds = (nowUnixMs - facts.SinceUnixMs) / 1000,
        Properties = facts.Properties,
    };

    private LinkView ViewOf(LinkFacts facts) => new()
    {
        Id = facts.Id,
        Name = facts.Name,
        ConnectionId = facts.ConnectionId,
        Type = facts.IsTrunk ? "inter-router" : "endpoint",
        Direction = facts.IsIncoming ? "in" : "out",
        OwningAddress = facts.Address is { } address && RouteAddress.TryParse(address, out RouteAddress parsed)
            ? KeyOf(parsed, phase: 0)
            : null,
        Capacity = facts.Capacity,
        Credit = facts.Credit,
        DeliveryCount = facts.DeliveryCount,
        Undelivered = facts.Undelivered,
        Unsettled = facts.Unsettled,
    };
}
