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
internal sealed class ConnectorOwner(NodeConnectors connectors, TlsProfileOwner profiles, RouterSection section)
    : IEntityOwner
{
    private int _last;

    /// <inheritdoc/>
    public string Type => "connector";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities =>
        [.. connectors.All.Select(running => EntityOf(running.Connector.Name, running.Config, running.Connector.State))];

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(() =>
    {
        string name = command.Name ?? $"connector/{Interlocked.Increment(ref _last)}";
        EntityReader reader = RequestEntity.ReaderOf(Type, name, command.Attributes);
        ConnectorConfig config = ConnectionMapper.ConnectorOf(reader, profiles.Readers);
        RouterValidator.ValidateConnector(section, config, "request", Type);
        if (!connectors.TryAdd(name, config))
        {
            return new(new CommandResult($"There is a connector '{name}' already, or too many of them"));
        }

        Connector made = connectors.All.First(running => running.Connector.Name == name).Connector;
        return new(CommandResult.Done(EntityOf(name, config, made.State)));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => new(connectors.TryRemove(command.Entity.Name)
        ? CommandResult.Done()
        : new CommandResult($"There is no connector '{command.Entity.Name}'", ManagementStatus.NotFound));

    private static ConfiguredEntity EntityOf(string name, ConnectorConfig config, ConnectorState state)
    {
        string first = config.Addresses[0];
        ImmutableDictionary<string, AmqpValue> attributes = RouterEntities.PlaceOf(first)
            .Add("role", RouterEntities.NameOf(config.Role))
            .Add("cost", (long)config.Cost)
            .Add("verifyHostname", config.Tls?.VerifyName ?? true)
            .Add("failoverUrls", string.Join(", ", state.Failover))
            .Add("connectionStatus", state.Status)
            .Add("connectionMsg", state.Message);
        if (config.User is not null)
        {
            attributes = attributes.Add("saslUsername", config.User);
        }

        if (config.PolicyVhost is not null)
        {
            attributes = attributes.Add("policyVhost", config.PolicyVhost);
        }

        return new ConfiguredEntity("connector", $"connector/{first}:{name}", name, attributes);
    }
}
