using System.Collections.Immutable;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>TLS profiles that were made while the node runs, for listeners and connectors that are made then. Any
/// thread.</summary>
internal sealed class TlsProfileOwner : IEntityOwner
{
    private const int ProfilesMax = 1000;

    private ImmutableDictionary<string, Profile> _profiles = ImmutableDictionary<string, Profile>.Empty;

    /// <inheritdoc/>
    public string Type => "sslProfile";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. _profiles.Values.Select(profile => profile.Entity)];

    /// <summary>All of them by name.</summary>
    public IReadOnlyDictionary<string, EntityReader> Readers =>
        _profiles.ToDictionary(entry => entry.Key, entry => entry.Value.Reader);

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command) => RequestEntity.TryAsync(() =>
    {
        if (command.Name is not { Length: > 0 } name)
        {
            return new(new CommandResult("An sslProfile needs a name"));
        }

        var entity = new ConfiguredEntity(Type, $"sslProfile/{name}", name, command.Attributes);
        var profile = new Profile(entity, RequestEntity.ReaderOf(Type, name, command.Attributes));
        bool isNew = _profiles.Count < ProfilesMax && ImmutableInterlocked.TryAdd(ref _profiles, name, profile);
        return new(isNew
            ? CommandResult.Done(entity)
            : new CommandResult($"There is an sslProfile '{name}' already, or {ProfilesMax} of them"));
    });

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) =>
        new(ImmutableInterlocked.TryRemove(ref _profiles, command.Entity.Name, out _)
            ? CommandResult.Done()
            : new CommandResult($"There is no sslProfile '{command.Entity.Name}'", ManagementStatus.NotFound));

    private sealed record Profile(ConfiguredEntity Entity, EntityReader Reader);
}
