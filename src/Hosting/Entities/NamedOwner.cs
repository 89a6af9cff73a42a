using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>Entities of a type that others name: TLS profiles, login services. Those of the file, and those that are
/// made while the node runs, for listeners and connectors that are made then. Any thread.</summary>
internal sealed class NamedOwner : IEntityOwner
{
    private const int EntitiesMax = 1000;

    private ImmutableDictionary<string, Named> _all = ImmutableDictionary.Create<string, Named>(StringComparer.Ordinal);

    /// <summary>Those of the file are there from the start.</summary>
    public NamedOwner(string type, IEnumerable<ConfEntity> configured)
    {
        Type = type;
        foreach (ConfEntity entity in configured.Where(entity => entity.Type == type))
        {
            string name = entity.Attributes["name"].ToString();
            ImmutableDictionary<string, AmqpValue> attributes = entity.Attributes
                .Where(attribute => attribute.Key != "name" && attribute.Value is JsonValue)
                .ToImmutableDictionary(attribute => attribute.Key, attribute => (AmqpValue)attribute.Value.ToString());
            _all = _all.Add(name, Of(name, attributes));
        }
    }

    /// <inheritdoc/>
    public string Type { get; }

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. _all.Values.Select(named => named.Entity)];

    /// <summary>All of them by name.</summary>
    public IReadOnlyDictionary<string, EntityReader> Readers =>
        _all.ToDictionary(entry => entry.Key, entry => entry.Value.Reader);

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(() =>
    {
        if (command.Name is not { Length: > 0 } name)
        {
            return new(new CommandResult($"'{Type}' needs a name"));
        }

        Named named = Of(name, command.Attributes);
        bool isNew = _all.Count < EntitiesMax && ImmutableInterlocked.TryAdd(ref _all, name, named);
        return new(isNew
            ? CommandResult.Done(named.Entity)
            : new CommandResult($"There is a '{Type}' with the name '{name}' already, or {EntitiesMax} of them"));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) =>
        new(ImmutableInterlocked.TryRemove(ref _all, command.Entity.Name, out _)
            ? CommandResult.Done()
            : new CommandResult(
                $"There is no '{Type}' with the name '{command.Entity.Name}'", ManagementStatus.NotFound));

    private Named Of(string name, ImmutableDictionary<string, AmqpValue> attributes) => new(
        new ConfiguredEntity(Type, $"{Type}/{name}", name, attributes),
        RequestEntity.ReaderOf(Type, name, attributes));

    private sealed record Named(ConfiguredEntity Entity, EntityReader Reader);
}
