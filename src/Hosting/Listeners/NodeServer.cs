using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners.Proxies;
using Pillarbox.Hosting.Listeners.WebSockets;
using Pillarbox.Transport;
using Pillarbox.Transport.Sockets;

namespace Pillarbox.Hosting.Listeners;

/// <summary>What answers on the listeners.</summary>
/// <param name="Protocols">For each protocol that is spoken: makes the handler of a listener's connections.</param>
/// <param name="Http">Makes what answers to HTTP.</param>
/// <param name="Time">The clock of deadlines.</param>
internal sealed record NodeHandlers(
    IReadOnlyDictionary<ListenerProtocol, Func<ListenerPlan, ConnectionHandler>> Protocols,
    Func<IHttpResources> Http, TimeProvider Time)
{
    /// <summary>Whether the node is open, and so for its own machine only.</summary>
    public Func<bool> InDevelopment { get; init; } = () => false;

    /// <summary>Which connections the process has room for; null: all.</summary>
    public DescriptorGuard? Guard { get; init; }
}

/// <summary>
/// The node's Kestrel: every listener of every protocol on one server, apart from any web host around it.
/// </summary>
internal sealed class NodeServer : IAsyncDisposable
{
    private const int HttpRequestBodyBytesMax = 1 << 20;
    private const int Backlog = 4096;
    private readonly Func<CancellationToken, Task> _stop;
    private readonly IAsyncDisposable _host;
    private readonly IReadOnlyList<ListenerPlan> _plans;

    private NodeServer(Func<CancellationToken, Task> stop, IAsyncDisposable host, IReadOnlyList<ListenerPlan> plans) =>
        (_stop, _host, _plans) = (stop, host, plans);

    /// <summary>What it listens for.</summary>
    public IReadOnlyList<ListenerPlan> Plans => _plans;

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<NodeEndpoint> Endpoints => [.. _plans.Select(p => p.ToEndpoint())];

    /// <summary>Binds all listeners or none. Throws <see cref="StartException"/>.</summary>
    public static Task<NodeServer> StartAsync(
        PillarboxConfig config, IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers, ILoggerFactory logs) =>
        plans.Any(static plan => plan.SpeaksHttp)
            ? StartWebAsync(config, plans, handlers, logs)
            : StartSocketsAsync(config, plans, handlers, logs);

    /// <summary>Stops listening and ends what is still connected when <paramref name="cancellation"/> fires.</summary>
    public Task StopAsync(CancellationToken cancellation) => _stop(cancellation);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static async Task<NodeServer> StartSocketsAsync(
        PillarboxConfig config, IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers, ILoggerFactory logs)
    {
        var host = new SocketHost(logs);
        AddKestrel(host, host.Services, kestrel => Configure(kestrel, config, plans, handlers, logs), plans, handlers);
        try
        {
            await host.StartAsync();
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        return new NodeServer(host.StopAsync, host, plans);
    }

    private static async Task<NodeServer> StartWebAsync(
        PillarboxConfig config, IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers, ILoggerFactory logs)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        // Who stops it says how long it waits for those that are connected.
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        AddKestrel(
            builder.WebHost, builder.Services, kestrel => Configure(kestrel, config, plans, handlers, logs), plans,
            handlers);
        WebApplication application = builder.Build();
        new WebSocketEndpoint(handlers.InDevelopment, logs.CreateLogger("Pillarbox.Listeners")).Use(application);
        HttpGate.Use(application);
        handlers.Http().Map(application);
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new NodeServer(application.StopAsync, application, plans);
    }

    private static void AddKestrel(
        IWebHostBuilder host, IServiceCollection services, Action<KestrelServerOptions> configure,
        IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers)
    {
        host.UseKestrelCore();
        services.Configure(configure);
        var blocks = new SocketBlockPool();
        services.AddSingleton<IMemoryPoolFactory<byte>>(blocks);
        host.UseSockets(Tune);
        services.AddSingleton<IConnectionListenerFactory>(provider => new EndpointBinder(
            new SocketListeners(blocks, Backlog, new SocketTransportFactory(
                provider.GetRequiredService<IOptions<SocketTransportOptions>>(),
                provider.GetRequiredService<ILoggerFactory>())),
            plans, handlers.Guard));
    }

    private static void Configure(
        KestrelServerOptions kestrel, PillarboxConfig config, IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers,
        ILoggerFactory logs)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = config.Limits.ConnectionsMax;
        kestrel.Limits.MaxConcurrentUpgradedConnections = config.Limits.ConnectionsMax;
        kestrel.Limits.MaxRequestBodySize = HttpRequestBodyBytesMax;
        ILogger logger = logs.CreateLogger("Pillarbox.Listeners");
        var handshakeTimeout = TimeSpan.FromMilliseconds(config.Limits.HandshakeTimeoutMs);
        foreach (ListenerPlan plan in plans)
        {
            plan.Handlers = HandlersOf(plan, handlers);
            kestrel.Listen(plan.EndPoint(), listen =>
            {
                plan.Bound = listen;
                listen.Protocols = plan.SpeaksHttp ? HttpProtocols.Http1 : HttpProtocols.None;
                if (plan.ProxyProtocol)
                {
                    var gate = new ProxyGate(plan.Proxies, handshakeTimeout, handlers.Time, logger);
                    listen.Use(next => connection => gate.OnConnectedAsync(connection, next));
                }

                if (plan.Tls is not null)
                {
                    bool detects = plan.Protocol == ListenerProtocol.All;
                    ListenerTls.Use(
                        listen, plan.Tls, handshakeTimeout, detects ? AlpnNames.OfAll(plan.Handlers.Keys) : null);
                }

                if (plan.SpeaksHttp)
                {
                    listen.Use(next => connection =>
                    {
                        connection.Features.Set(plan);
                        if (plan.Protocol == ListenerProtocol.Http)
                        {
                            connection.Features.Get<IPooledConnectionFeature>()?.UsePool();
                        }

                        return next(connection);
                    });
                }

                if (plan.Protocol == ListenerProtocol.All)
                {
                    var detector = new ProtocolDetector(plan.Handlers, handshakeTimeout, handlers.Time, logger);
                    listen.Use(http => connection => detector.OnConnectedAsync(connection, http));
                }
                else if (plan.Protocol != ListenerProtocol.Http)
                {
                    listen.Run(plan.Handlers[plan.Protocol].OnConnectedAsync);
                }
            });
        }
    }

    /// <summary>One handler for a protocol's own listener; those of all protocols for a shared one.</summary>
    private static Dictionary<ListenerProtocol, ConnectionHandler> HandlersOf(
        ListenerPlan plan, NodeHandlers handlers) =>
        handlers.Protocols
            .Where(entry => plan.SpeaksHttp || entry.Key == plan.Protocol)
            .ToDictionary(entry => entry.Key, entry => entry.Value(plan));

    private static void Tune(SocketTransportOptions options)
    {
        options.NoDelay = true;
        options.Backlog = Backlog;
        // The loops give the pool what may take long; between the socket and a loop a change of threads only costs.
        options.UnsafePreferInlineScheduling = true;
        options.CreateBoundListenSocket = LoopbackPacing.Bind;
        // An idle connection holds no read buffer.
        options.WaitForDataBeforeAllocatingBuffer = true;
    }

    /// <summary>The host around the node decides about signals, not this inner one.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
