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

namespace Pillarbox.Hosting.Listeners;

/// <summary>What answers on the listeners.</summary>
/// <param name="Amqp">The handler of AMQP connections.</param>
/// <param name="Kafka">Makes the handler of Kafka connections of a listener.</param>
/// <param name="MapHttp">Puts the HTTP resources on the listener's pipeline.</param>
internal sealed record NodeHandlers(
    ConnectionHandler Amqp, Func<ListenerPlan, ConnectionHandler> Kafka, Action<WebApplication> MapHttp);

/// <summary>
/// The node's Kestrel: every listener of every protocol on one server, apart from any web host around it.
/// </summary>
internal sealed class NodeServer : IAsyncDisposable
{
    private const int HttpRequestBodyBytesMax = 1 << 20;
    private readonly WebApplication _application;
    private readonly IReadOnlyList<ListenerPlan> _plans;

    private NodeServer(WebApplication application, IReadOnlyList<ListenerPlan> plans) =>
        (_application, _plans) = (application, plans);

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<NodeEndpoint> Endpoints => [.. _plans.Select(p => p.ToEndpoint())];

    /// <summary>Binds all listeners or none. Throws <see cref="StartException"/>.</summary>
    public static async Task<NodeServer> StartAsync(
        PillarboxConfig config, IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers, ILoggerFactory logs)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, config, plans, handlers));
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>>(new SocketBlockPool());
        builder.WebHost.UseSockets(Tune);
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new EndpointBinder(
            new SocketTransportFactory(services.GetRequiredService<IOptions<SocketTransportOptions>>(), logs), plans));
        WebApplication application = builder.Build();
        handlers.MapHttp(application);
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new NodeServer(application, plans);
    }

    /// <summary>Stops listening and ends what is still connected when <paramref name="cancellation"/> fires.</summary>
    public Task StopAsync(CancellationToken cancellation) => _application.StopAsync(cancellation);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static void Configure(
        KestrelServerOptions kestrel, PillarboxConfig config, IReadOnlyList<ListenerPlan> plans, NodeHandlers handlers)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = config.Limits.ConnectionsMax;
        kestrel.Limits.MaxRequestBodySize = HttpRequestBodyBytesMax;
        var handshakeTimeout = TimeSpan.FromMilliseconds(config.Limits.HandshakeTimeoutMs);
        foreach (ListenerPlan plan in plans)
        {
            kestrel.Listen(plan.EndPoint(), listen =>
            {
                plan.Bound = listen;
                listen.Protocols = plan.Protocol == ListenerProtocol.Http ? HttpProtocols.Http1 : HttpProtocols.None;
                if (plan.Tls is not null)
                {
                    ListenerTls.Use(listen, plan.Tls, handshakeTimeout);
                }

                if (plan.Protocol == ListenerProtocol.Amqp)
                {
                    listen.Run(handlers.Amqp.OnConnectedAsync);
                }
                else if (plan.Protocol == ListenerProtocol.Kafka)
                {
                    listen.Run(handlers.Kafka(plan).OnConnectedAsync);
                }
            });
        }
    }

    private static void Tune(SocketTransportOptions options)
    {
        options.NoDelay = true;
        options.Backlog = 4096;
        // The loops give the pool what may take long; between the socket and a loop a change of threads only costs.
        options.UnsafePreferInlineScheduling = true;
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
