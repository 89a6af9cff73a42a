using System.Collections.Immutable;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Routed.Tcp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>Where clients of TCP services come in: as configured, and as it changes while the node runs. Any
/// thread.</summary>
internal sealed class TcpListenerOwner(NodeTcp tcp) : IEntityOwner
{
    private int _last;

    /// <inheritdoc/>
    public string Type => "tcpListener";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. tcp.Listeners.Select(EntityOf)];

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(async () =>
    {
        string name = command.Name ?? $"tcpListener/new/{Interlocked.Increment(ref _last)}";
        (string service, string place) = TcpEntity.Read(Type, name, command.Attributes, isListener: true);
        return await tcp.TryListenAsync(name, service, place)
            ? CommandResult.Done(EntityOf(tcp.Listeners.First(listener => listener.Name == name)))
            : new CommandResult($"There is a tcpListener '{name}' already");
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => new(tcp.TryClose(command.Entity.Name)
        ? CommandResult.Done()
        : new CommandResult($"There is no tcpListener '{command.Entity.Name}'", ManagementStatus.NotFound));

    private ConfiguredEntity EntityOf(OpenListener listener) => TcpEntity.Of(
        Type, listener.Name, listener.Entrance.Address, listener.Place, listener.Entrance.Tally,
        listener.Entrance.HasServer);
}

/// <summary>Servers of TCP services: as configured, and as they change while the node runs. Any thread.</summary>
internal sealed class TcpConnectorOwner(NodeTcp tcp) : IEntityOwner
{
    private int _last;

    /// <inheritdoc/>
    public string Type => "tcpConnector";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. tcp.Connectors.Select(EntityOf)];

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(() =>
    {
        string name = command.Name ?? $"tcpConnector/new/{Interlocked.Increment(ref _last)}";
        (string service, string place) = TcpEntity.Read(Type, name, command.Attributes, isListener: false);
        return new(tcp.TryOffer(name, service, place)
            ? CommandResult.Done(EntityOf(tcp.Connectors.First(connector => connector.Name == name)))
            : new CommandResult($"There is a tcpConnector '{name}' already"));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => new(tcp.TryWithdraw(command.Entity.Name)
        ? CommandResult.Done()
        : new CommandResult($"There is no tcpConnector '{command.Entity.Name}'", ManagementStatus.NotFound));

    private ConfiguredEntity EntityOf(OpenConnector connector) => TcpEntity.Of(
        Type, connector.Name, connector.Exit.Address, connector.Place, connector.Exit.Tally,
        connector.Exit.IsOffered);
}

/// <summary>What both types have in common.</summary>
internal static class TcpEntity
{
    /// <summary>Reads a request. Throws <see cref="ConfigException"/>.</summary>
    public static (string Service, string Place) Read(
        string type, string name, ImmutableDictionary<string, AmqpValue> attributes, bool isListener)
    {
        EntityReader reader = RequestEntity.ReaderOf(type, name, attributes);
        reader.Require("port");
        return (reader.Require("address"), ConnectionMapper.Place(reader, isListener));
    }

    /// <summary>What is shown.</summary>
    public static ConfiguredEntity Of(
        string type, string name, string service, string place, TcpTally tally, bool isUp) => new(
        type, $"{type}/{place}:{name}", name, RouterEntities.PlaceOf(place)
            .Add("address", service)
            .Add("connectionsOpened", tally.Opened)
            .Add("connectionsClosed", tally.Closed)
            .Add("bytesIn", tally.ReceivedBytes)
            .Add("bytesOut", tally.SentBytes)
            .Add("operStatus", isUp ? "up" : "down"));
}
