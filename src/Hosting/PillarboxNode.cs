using Pillarbox.Broker;
using Pillarbox.ConsoleApi;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>
/// A running node: the broker on its data directory and the listeners in front of it. Made by <see cref="StartAsync"/>;
/// stopped once by <see cref="StopAsync"/>. Any thread.
/// </summary>
public sealed partial class PillarboxNode : IAsyncDisposable
{
    private readonly NodeServer _server;
    private readonly NodeState _state;
    private readonly TimeSpan _drainTimeout;
    private int _stopped;

    private PillarboxNode(MessageBroker broker, NodeServer server, NodeState state, TimeSpan drainTimeout)
    {
        Broker = broker;
        _server = server;
        _state = state;
        _drainTimeout = drainTimeout;
        Endpoints = server.Endpoints;
    }

    /// <summary>The broker, for use within the process.</summary>
    public MessageBroker Broker { get; }

    /// <summary>Where the node listens, with the real ports.</summary>
    public IReadOnlyList<NodeEndpoint> Endpoints { get; }

    /// <summary>
    /// Opens the data, recovers, binds the listeners. Throws <see cref="StartException"/>, <see
    /// cref="StorageException"/> or
    /// <see cref="ConfigException"/>, each with one line that says what to do; nothing stays open then.
    /// </summary>
    public static async Task<PillarboxNode> StartAsync(PillarboxConfig config, NodeSeams seams)
    {
        IReadOnlyList<ListenerPlan> plans = ListenerPlan.Of(config);
        MessageBroker broker = MessageBroker.Open(NodeBroker.Options(config, seams));
        var state = new NodeState();
        try
        {
            AmqpConnectionHandler amqp = NodeAmqp.Handler(broker, config, seams, users: null);
            var handlers = new NodeHandlers(amqp, app => ManagementApi.Map(app, broker, state));
            NodeServer server = await NodeServer.StartAsync(config, plans, handlers, seams.LoggerFactory);
            state.MarkStarted();
            return new PillarboxNode(broker, server, state, TimeSpan.FromMilliseconds(config.Limits.DrainTimeoutMs));
        }
        catch
        {
            broker.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks clients to close, waits for them a bounded time, closes the listeners and the data. Once; later calls do
    /// nothing.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
        {
            return;
        }

        _state.MarkStopping();
        await Broker.DrainAsync(_drainTimeout);
        using var now = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
        Broker.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();
}
