using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Containers;

/// <summary>
/// Link routes that a connection makes for itself, by a request that comes by it: links to such addresses go there, as
/// long as it lasts. Edge routers tell so what their containers have. Any thread.
/// </summary>
internal sealed class ConnectionRoutes(ContainerLinks links) : IEntityOwner
{
    /// <summary>The type of them.</summary>
    public const string Type = "router.connection.linkRoute";

    /// <summary>Most of one connection.</summary>
    public const int RulesMax = 1000;

    string IEntityOwner.Type => Type;

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. links.ConnectionRules.Select(EntityOf)];

    /// <summary>Makes one for the connection of the request.</summary>
    public static CommandResult Create(ContainerLinks links, CreateEntity command, ServiceCaller caller)
    {
        if (caller.Policy is { AllowsDynamicLinkRoutes: false } || caller.Carrier is not { } carrier)
        {
            return Forbidden();
        }

        string? pattern = command.Attributes.GetValueOrDefault("pattern").AsText();
        if (string.IsNullOrEmpty(pattern))
        {
            return new CommandResult("'pattern' has to be given");
        }

        if (pattern.Length > RouteAddress.CharsMax)
        {
            return new CommandResult($"'pattern' has at most {RouteAddress.CharsMax} characters");
        }

        bool isForSenders = command.Attributes.GetValueOrDefault("direction").AsText() == "in";
        if (!caller.MayStandFor(pattern, isForSenders))
        {
            return Forbidden();
        }

        if (links.ConnectionRules.Count(rule => rule.For.Only == carrier) >= RulesMax)
        {
            return new CommandResult($"The connection has {RulesMax} link routes already");
        }

        var rule = new LinkRouteRule
        {
            Name = links.NewRuleName(Type),
            Pattern = pattern,
            IsForSenders = isForSenders,
            For = new ContainerRule(null, null) { Only = carrier },
        };
        links.Add(rule);
        return CommandResult.Done(EntityOf(rule) with { Name = command.Name ?? rule.Name });
    }

    /// <summary>Removes one that the connection of the request has made.</summary>
    public static CommandResult Delete(ContainerLinks links, DeleteEntity command, ServiceCaller caller)
    {
        LinkRouteRule? rule = links.ConnectionRules.FirstOrDefault(rule => rule.Name == command.Entity.Identity);
        if (rule is null)
        {
            return new CommandResult("It is gone", ManagementStatus.NotFound);
        }

        if (caller.Carrier != rule.For.Only)
        {
            return Forbidden();
        }

        links.RemoveLinkRoute(rule.Name);
        return CommandResult.Done();
    }

    private static CommandResult Forbidden() =>
        new("You are not allowed to perform this operation.", ManagementStatus.Forbidden);

    private static ConfiguredEntity EntityOf(LinkRouteRule rule) => new(
        Type, rule.Name, rule.Name, ImmutableDictionary<string, AmqpValue>.Empty
            .Add("pattern", rule.Pattern)
            .Add("direction", rule.IsForSenders ? "in" : "out")
            .Add("containerId", rule.For.Only?.ContainerId));
}
