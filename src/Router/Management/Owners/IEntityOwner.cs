using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management.Owners;

/// <summary>
/// Has everything of one type that is configured: shows it, and makes, changes and removes it while the node runs. Any
/// thread; the commands have been checked against the schema.
/// </summary>
public interface IEntityOwner
{
    /// <summary>The short name of the type, e.g. <c>listener</c>.</summary>
    string Type { get; }

    /// <summary>What there is now, and its state.</summary>
    IReadOnlyList<ConfiguredEntity> Entities { get; }

    /// <summary>Makes one.</summary>
    ValueTask<CommandResult> CreateAsync(CreateEntity command) => new(Refused($"'{Type}' cannot be made at run time"));

    /// <summary>Changes one.</summary>
    ValueTask<CommandResult> UpdateAsync(UpdateEntity command) =>
        new(Refused($"'{Type}' cannot be changed at run time"));

    /// <summary>Removes one.</summary>
    ValueTask<CommandResult> DeleteAsync(DeleteEntity command) =>
        new(Refused($"'{Type}' cannot be removed at run time"));

    private static CommandResult Refused(string why) => new(why, ManagementStatus.NotImplemented);
}

/// <summary>The owners of all types, each under its name. Who has none is not configured while the node runs. Any
/// thread.</summary>
public sealed class EntityOwners
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, IEntityOwner> _owners =
        new(StringComparer.Ordinal);

    /// <summary>Adds an owner, in the place of another of its type.</summary>
    public void Add(IEntityOwner owner) => _owners[owner.Type] = owner;

    /// <summary>Everything of all owners.</summary>
    public IEnumerable<ConfiguredEntity> Entities =>
        _owners.OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => entry.Value.Entities);

    /// <summary>Gives a command to whoever owns its type.</summary>
    public ValueTask<CommandResult> CarryAsync(RouterCommand command) => command switch
    {
        CreateEntity create => Of(create.Type) is { } owner ? owner.CreateAsync(create) : Nobody(create.Type),
        UpdateEntity update => Of(update.Entity.Type) is { } owner
            ? owner.UpdateAsync(update) : Nobody(update.Entity.Type),
        DeleteEntity delete => Of(delete.Entity.Type) is { } owner
            ? owner.DeleteAsync(delete) : Nobody(delete.Entity.Type),
        _ => Nobody(command.GetType().Name),
    };

    private IEntityOwner? Of(string type) => _owners.GetValueOrDefault(type);

    private static ValueTask<CommandResult> Nobody(string type) => new(new CommandResult(
        $"This node's '{type}' is configured by its file; it cannot be changed while it runs",
        ManagementStatus.NotImplemented));
}
