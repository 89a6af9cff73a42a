using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Entities;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>
/// A running node: the broker on its data directory and the listeners in front of it. Made by <see cref="StartAsync"/>;
/// stopped once by <see cref="StopAsync"/>. Any thread.
/// </summary>
public sealed class PillarboxNode : IAsyncDisposable
{
    private readonly NodeParts _parts;
    private readonly NodeServer _server;
    private readonly TimeSpan _drainTimeout;
    private int _stopped;

    /// <summary>Listeners that come and go while the node runs; null: the node is in no network.</summary>
    internal ListenerOwner? Listeners => _parts.Listeners;

    private PillarboxNode(NodeParts parts, NodeServer server, TimeSpan drainTimeout)
    {
        _parts = parts;
        _server = server;
        _drainTimeout = drainTimeout;
        Endpoints = [.. server.Endpoints, .. parts.Router?.Services?.Endpoints ?? []];
    }

    /// <summary>The broker, for use within the process.</summary>
    public MessageBroker Broker => _parts.Broker;

    /// <summary>Where the node listens, with the real ports.</summary>
    public IReadOnlyList<NodeEndpoint> Endpoints { get; }

    /// <summary>
    /// Opens the data, recovers, binds the listeners. Throws <see cref="StartException"/>, <see
    /// cref="StorageException"/>
    /// or <see cref="ConfigException"/>, each with one line that says what to do; nothing stays open then.
    /// </summary>
    public static async Task<PillarboxNode> StartAsync(PillarboxConfig config, NodeSeams seams)
    {
        IReadOnlyList<ListenerPlan> plans = ListenerPlan.Of(config);
        NodeParts parts = NodeParts.Open(config, seams, plans);
        try
        {
            await NodeBroker.CreateQueuesAsync(parts.Broker, config, parts.Logger);
            var handlers = new NodeHandlers(
                parts.Protocols.Handlers, () => parts.Http(seams), seams.Time)
            {
                InDevelopment = () => parts.Security.IsOpen,
                Guard = GuardOf(config, seams),
            };
            parts.OwnListeners(config, handlers, seams);
            NodeServer server = await NodeServer.StartAsync(config, plans, handlers, seams.LoggerFactory);
            parts.Listeners?.Show(server);
            try
            {
                await parts.StartRouterAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }

            parts.State.MarkStarted();
            return new PillarboxNode(parts, server, TimeSpan.FromMilliseconds(config.Limits.DrainTimeoutMs));
        }
        catch
        {
            parts.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks clients to close, waits for them a bounded time, closes the listeners and the data. Once; later calls do
    /// nothing.
    /// </summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
        {
            return;
        }

        _parts.State.MarkStopping();
        NodeLog.Stopping(_parts.Logger);
        await Broker.DrainAsync(_drainTimeout);
        // Who has not gone by now is cut off.
        await _server.StopAsync(new CancellationToken(canceled: true));
        await _server.DisposeAsync();
        if (_parts.Listeners is { } listeners)
        {
            await listeners.DisposeAsync();
        }

        _parts.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();

    private static DescriptorGuard GuardOf(PillarboxConfig config, NodeSeams seams)
    {
        ILogger logger = seams.LoggerFactory.CreateLogger("Pillarbox.Listeners");
        var guard = new DescriptorGuard(DescriptorGuard.LimitOfProcess(), seams.Time, logger);
        guard.Report(config.Limits.ConnectionsMax);
        return guard;
    }

    /// <summary>What is opened before the listeners, and closed after them.</summary>
    private sealed record NodeParts(
        MessageBroker Broker, SpokenProtocols Protocols, NodeSecurity Security, DevelopmentMode Mode, ILogger Logger)
        : IDisposable
    {
        public NodeRouter? Router { get; init; }

        /// <summary>Listeners that come and go while the node runs; null: the node is in no network.</summary>
        public ListenerOwner? Listeners { get; private set; }

        public void OwnListeners(PillarboxConfig config, NodeHandlers handlers, NodeSeams seams)
        {
            if (Router is { } router)
            {
                Listeners = new ListenerOwner(config, handlers, Security, router, seams.LoggerFactory);
                router.Network.Owners.Add(Listeners);
            }
        }

        public NodeState State { get; } = new();

        public IHttpResources Http(NodeSeams seams) =>
            new NodeHttp(Broker, Security, Router, State, Logger, seams.Time);

        public static NodeParts Open(PillarboxConfig config, NodeSeams seams, IReadOnlyList<ListenerPlan> plans)
        {
            ILogger logger = seams.LoggerFactory.CreateLogger("Pillarbox.Node");
            IFileSystem files = NodeBroker.FileSystemOf(config, seams);
            NodeSecurity security = NodeSecurity.Open(config, files, seams);
            MessageBroker? broker = null;
            NodeRouter? router = null;
            try
            {
                security.CheckListeners(plans);
                broker = MessageBroker.Open(NodeBroker.Options(config, seams, files, security));
                security.Report(logger, plans);
                router = NodeRouter.Of(config, seams);
                var host = new ProtocolHost(broker, config, seams, security) { Router = router };
                var protocols = new SpokenProtocols(host);
                var mode = new DevelopmentMode(security, broker, seams, protocols.Secure);
                return new NodeParts(broker, protocols, security, mode, logger) { Router = router };
            }
            catch
            {
                router?.Dispose();
                broker?.Dispose();
                security.Dispose();
                throw;
            }
        }

        /// <summary>The listeners are there: the node connects to others.</summary>
        public Task StartRouterAsync() =>
            Router?.StartAsync(((NodeAmqp)Protocols.Of(ListenerProtocol.Amqp)).Engine) ?? Task.CompletedTask;

        public void Dispose()
        {
            Mode.Dispose();
            Router?.Dispose();
            Protocols.Dispose();
            Broker.Dispose();
            Security.Dispose();
        }
    }
}
