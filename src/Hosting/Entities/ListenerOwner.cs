using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>
/// Listeners of AMQP: those of the configuration, and those that are opened while the node runs, each on a server of
/// its own. One that is closed takes no more connections; those that it has taken go on, and with the last of them its
/// server is gone. Any thread.
/// </summary>
internal sealed class ListenerOwner : IEntityOwner, IAsyncDisposable
{
    private const int ListenersMax = 1000;

    private readonly PillarboxConfig _config;
    private readonly NodeHandlers _handlers;
    private readonly NodeSecurity _security;
    private readonly NodeRouter _router;
    private readonly ILoggerFactory _logs;
    private readonly Lock _gate = new();
    private readonly List<Open> _open = [];
    private readonly List<NodeServer> _servers = [];
    private readonly HashSet<Task> _leaving = [];
    private readonly CancellationTokenSource _end = new();
    private int _last;

    public ListenerOwner(
        PillarboxConfig config, NodeHandlers handlers, NodeSecurity security, NodeRouter router, ILoggerFactory logs)
    {
        (_config, _handlers, _security) = (config, handlers, security);
        (_router, _logs) = (router, logs);
    }

    /// <inheritdoc/>
    public string Type => "listener";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities
    {
        get
        {
            lock (_gate)
            {
                return [.. _open.Select(EntityOf)];
            }
        }
    }

    /// <summary>Servers of listeners that were opened while the node ran: of those that are open, and of those that are
    /// closed and have connections.</summary>
    public int ServerCount
    {
        get
        {
            lock (_gate)
            {
                return _servers.Count + _leaving.Count;
            }
        }
    }

    /// <summary>The node's own listeners are there; those of AMQP are shown.</summary>
    public void Show(NodeServer server)
    {
        lock (_gate)
        {
            _open.AddRange(server.Plans.Where(IsShown).Select(plan => new Open(plan)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) =>
        RequestEntity.TryAsync(() => OpenAsync(command));

    /// <inheritdoc/>
    public async ValueTask<CommandResult> DeleteAsync(DeleteEntity command)
    {
        Open? found;
        lock (_gate)
        {
            found = _open.Find(open => IdentityOf(open.Plan) == command.Entity.Identity);
            if (found is not null)
            {
                _open.Remove(found);
            }
        }

        if (found is null)
        {
            return new CommandResult($"There is no listener '{command.Entity.Name}'", ManagementStatus.NotFound);
        }

        await found.Plan.StopListeningAsync();
        if (found.Server is { } server)
        {
            LetGo(server);
        }

        return CommandResult.Done();
    }

    /// <summary>Closes what was opened while the node ran.</summary>
    public async ValueTask DisposeAsync()
    {
        NodeServer[] own;
        lock (_gate)
        {
            own = [.. _servers];
            _servers.Clear();
            _open.Clear();
        }

        await _end.CancelAsync();
        foreach (NodeServer server in own)
        {
            await server.StopAsync(_end.Token);
            await server.DisposeAsync();
        }

        Task[] leaving;
        lock (_gate)
        {
            leaving = [.. _leaving];
        }

        await Task.WhenAll(leaving);
        _end.Dispose();
    }

    // Those of a router's file speak AMQP, all of them: over HTTP by WebSocket.
    private bool IsShown(ListenerPlan plan) => plan.Protocol == ListenerProtocol.Amqp
        || (plan.Protocol == ListenerProtocol.Http && _config.Router is { IsFromConf: true });

    // It ends with its last connection, or with the node.
    private void LetGo(NodeServer server)
    {
        var left = new TaskCompletionSource();
        CancellationToken end;
        lock (_gate)
        {
            // The node's end has taken it already, when it is not here any more.
            if (!_servers.Remove(server))
            {
                return;
            }

            _leaving.Add(left.Task);
            end = _end.Token;
        }

        _ = EndAsync(server, left, end);
    }

    private async Task EndAsync(NodeServer server, TaskCompletionSource left, CancellationToken end)
    {
        try
        {
            await server.StopAsync(end);
            await server.DisposeAsync();
        }
        catch (Exception fault)
        {
            NodeLog.ServerFault(_logs.CreateLogger("Pillarbox.Node"), fault);
        }
        finally
        {
            lock (_gate)
            {
                _leaving.Remove(left.Task);
            }

            left.SetResult();
        }
    }

    private async ValueTask<CommandResult> OpenAsync(CreateEntity command)
    {
        string name = command.Name ?? $"listener/{Interlocked.Increment(ref _last)}";
        EntityReader reader = RequestEntity.ReaderOf(Type, name, command.Attributes);
        ListenerConfig listener = ConnectionMapper.ListenerOf(
            reader, _router.Profiles.Readers, _router.LoginServices.Readers);
        PillarboxConfig config = _config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { [name] = listener },
        };
        RouterValidator.ValidateListener(config, name, listener, "request");
        IReadOnlyList<ListenerPlan> plans = ListenerPlan.Of(config);
        _security.CheckListeners(plans);
        lock (_gate)
        {
            if (_open.Count >= ListenersMax || _open.Exists(open => open.Plan.Name == name))
            {
                return new CommandResult($"There is a listener '{name}' already, or {ListenersMax} of them");
            }
        }

        NodeServer server = await NodeServer.StartAsync(config, plans, _handlers, _logs);
        var opened = new Open(plans[0]) { Server = server };
        lock (_gate)
        {
            _open.Add(opened);
            _servers.Add(server);
        }

        NodeLog.Listening(_logs.CreateLogger("Pillarbox.Node"), name, plans[0].ToEndpoint().Address);
        return CommandResult.Done(EntityOf(opened));
    }

    private static string IdentityOf(ListenerPlan plan) => $"listener/{plan.ToEndpoint().Address}:{plan.Name}";

    private ConfiguredEntity EntityOf(Open open)
    {
        ListenerPlan plan = open.Plan;
        ImmutableDictionary<string, AmqpValue> attributes = RouterEntities.PlaceOf(plan.ToEndpoint().Address)
            .AddRange(ConnectionAttributes.Of(_config, plan.Config, plan.Role))
            .Add("http", plan.Protocol == ListenerProtocol.Http);
        return new ConfiguredEntity("listener", IdentityOf(plan), plan.Name, attributes);
    }

    private sealed record Open(ListenerPlan Plan)
    {
        /// <summary>Its own server; null: it is one of those that the node has begun with.</summary>
        public NodeServer? Server { get; init; }
    }
}
