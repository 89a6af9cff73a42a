using System.Collections.Immutable;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Dialing;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;
using Pillarbox.Router.Peers;

namespace Pillarbox.Hosting.Entities;

/// <summary>Connectors: those of the configuration, and those that are made while the node runs. Any thread.</summary>
internal sealed class ConnectorOwner(NodeConnectors connectors, NamedOwner profiles, PillarboxConfig config)
    : IEntityOwner
{
    private int _last;

    /// <inheritdoc/>
    public string Type => "connector";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities =>
        [.. connectors.All.Select(running =>
            EntityOf(running.Connector.Name, running.Config, running.Connector.State))];

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(() =>
    {
        string name = command.Name ?? $"connector/{Interlocked.Increment(ref _last)}";
        EntityReader reader = RequestEntity.ReaderOf(Type, name, command.Attributes);
        ConnectorConfig wanted = ConnectionMapper.ConnectorOf(reader, profiles.Readers);
        RouterValidator.ValidateConnector(config.Router!, wanted, "request", Type);
        if (!connectors.TryAdd(name, wanted))
        {
            return new(new CommandResult($"There is a connector '{name}' already, or too many of them"));
        }

        Connector made = connectors.All.First(running => running.Connector.Name == name).Connector;
        return new(CommandResult.Done(EntityOf(name, wanted, made.State)));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => new(connectors.TryRemove(command.Entity.Name)
        ? CommandResult.Done()
        : new CommandResult($"There is no connector '{command.Entity.Name}'", ManagementStatus.NotFound));

    private static string UrlOf(string place) =>
        place.Contains("://", StringComparison.Ordinal) ? place : $"amqp://{place}";

    private ConfiguredEntity EntityOf(string name, ConnectorConfig connector, ConnectorState state)
    {
        string first = connector.Addresses[0];
        ImmutableDictionary<string, AmqpValue> attributes = RouterEntities.PlaceOf(first)
            .AddRange(ConnectionAttributes.Of(config, connector))
            .Add("failoverUrls", string.Join(", ", state.Failover.Select(UrlOf)))
            .Add("connectionStatus", state.Status)
            .Add("connectionMsg", state.Message);
        return new ConfiguredEntity("connector", $"connector/{first}:{name}", name, attributes);
    }
}
