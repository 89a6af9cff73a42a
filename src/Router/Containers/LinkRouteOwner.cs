using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Containers;

/// <summary>The addresses whose links go to containers as a whole: they come and go while the node runs. Any
/// thread.</summary>
internal sealed class LinkRouteOwner(ContainerLinks links) : IEntityOwner
{
    /// <inheritdoc/>
    public string Type => ContainerEntities.LinkRoute;

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => links.LinkRouteEntities;

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command)
    {
        ImmutableDictionary<string, AmqpValue> given = command.Attributes;
        if (!ContainerEntities.TryFor(given, out ContainerRule connections, out string fault))
        {
            return new(new CommandResult(fault));
        }

        string? prefix = given.GetValueOrDefault("prefix").AsText();
        string? pattern = given.GetValueOrDefault("pattern").AsText();
        if (string.IsNullOrEmpty(prefix) == string.IsNullOrEmpty(pattern))
        {
            return new(new CommandResult("Either 'prefix' or 'pattern' has to be given"));
        }

        var rule = new LinkRouteRule
        {
            Name = command.Name ?? links.NewRuleName(Type),
            Prefix = string.IsNullOrEmpty(prefix) ? null : prefix,
            Pattern = string.IsNullOrEmpty(pattern) ? null : pattern,
            IsForSenders = given.GetValueOrDefault("direction").AsText() == "in",
            For = connections,
            AddedPrefix = given.GetValueOrDefault("addExternalPrefix").AsText(),
            RemovedPrefix = given.GetValueOrDefault("delExternalPrefix").AsText(),
        };
        return new(links.Add(rule)
            ? CommandResult.Done(Entities.First(entity => entity.Name == rule.Name))
            : new CommandResult($"There is a link route '{rule.Name}' already"));
    }

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => new(
        links.RemoveLinkRoute(command.Entity.Name) ? CommandResult.Done() : new CommandResult(
            $"There is no link route '{command.Entity.Name}'", ManagementStatus.NotFound));
}
