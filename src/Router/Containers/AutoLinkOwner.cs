using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Containers;

/// <summary>The links that the node keeps to containers: they come and go while it runs. Any thread.</summary>
internal sealed class AutoLinkOwner(ContainerLinks links) : IEntityOwner
{
    private const int PhaseMax = 9;

    /// <inheritdoc/>
    public string Type => ContainerEntities.AutoLink;

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => links.AutoLinkEntities;

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command)
    {
        ImmutableDictionary<string, AmqpValue> given = command.Attributes;
        if (!ContainerEntities.TryFor(given, out ContainerRule rule, out string fault))
        {
            return new(new CommandResult(fault));
        }

        bool isIncoming = given.GetValueOrDefault("direction").AsText() == "in";
        bool isFallback = given.TryGetValue("fallback", out AmqpValue flag) && flag.AsBoolean();
        bool isNamed = given.GetValueOrDefault("phase").TryGetInt64(out long phase);
        if (phase is < 0 or > PhaseMax)
        {
            return new(new CommandResult($"'phase' is from 0 to {PhaseMax}, and not {phase}"));
        }

        var plan = new AutoLinkPlan
        {
            Name = command.Name ?? links.NewRuleName(Type),
            Address = given["address"].AsText() ?? "",
            IsIncoming = isIncoming,
            Phase = isNamed ? (int)phase : isIncoming && !isFallback ? 1 : 0,
            ExternalAddress = given.GetValueOrDefault("externalAddress").AsText(),
            IsFallback = isFallback,
        };
        return new(links.Add(new AutoLinkRule(plan, rule))
            ? CommandResult.Done(Entities.First(entity => entity.Name == plan.Name))
            : new CommandResult($"There is an auto link '{plan.Name}' already"));
    }

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command) => new(
        links.RemoveAutoLink(command.Entity.Name) ? CommandResult.Done() : new CommandResult(
            $"There is no auto link '{command.Entity.Name}'", ManagementStatus.NotFound));
}
