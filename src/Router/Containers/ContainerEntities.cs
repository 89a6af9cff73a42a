using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Containers;

/// <summary>What management shows of the links to containers. Pure.</summary>
internal static class ContainerEntities
{
    /// <summary>The type of links that the node keeps by itself.</summary>
    public const string AutoLink = "router.config.autoLink";

    /// <summary>The type of addresses whose links go to a container as a whole.</summary>
    public const string LinkRoute = "router.config.linkRoute";

    /// <summary>Reads which connections something is for.</summary>
    public static bool TryFor(
        ImmutableDictionary<string, AmqpValue> attributes, out ContainerRule rule, out string fault)
    {
        string? connection = attributes.GetValueOrDefault("connection").AsText();
        string? container = attributes.GetValueOrDefault("containerId").AsText();
        bool isGood = string.IsNullOrEmpty(connection) != string.IsNullOrEmpty(container);
        rule = new ContainerRule(
            string.IsNullOrEmpty(connection) ? null : connection, string.IsNullOrEmpty(container) ? null : container);
        fault = isGood ? "" : "Either 'connection' or 'containerId' has to be given";
        return isGood;
    }

    /// <summary>A link that the node keeps by itself, with its state.</summary>
    public static ConfiguredEntity Of(AutoLinkEntry entry)
    {
        AutoLinkPlan plan = entry.Rule.Plan;
        AutoLinkState? state = entry.Shown;
        AutoLinkStatus status = state?.Status ?? AutoLinkStatus.Inactive;
        ImmutableDictionary<string, AmqpValue> attributes = ImmutableDictionary<string, AmqpValue>.Empty
            .Add("address", plan.Address)
            .Add("direction", plan.IsIncoming ? "in" : "out")
            .Add("phase", (long)plan.Phase)
            .Add("containerId", entry.Rule.For.ContainerId)
            .Add("connection", entry.Rule.For.Connection)
            .Add("externalAddress", plan.ExternalAddress)
            .Add("fallback", plan.IsFallback)
            .Add("linkRef", state?.Link?.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .Add("operStatus", status.ToString().ToLowerInvariant())
            .Add("lastError", state?.Error);
        return new ConfiguredEntity(AutoLink, $"{AutoLink}/{plan.Name}", plan.Name, attributes);
    }

    /// <summary>Addresses whose links go to a container as a whole.</summary>
    public static ConfiguredEntity Of(LinkRouteRule rule, bool isActive)
    {
        ImmutableDictionary<string, AmqpValue> attributes = ImmutableDictionary<string, AmqpValue>.Empty
            .Add("prefix", rule.Prefix)
            .Add("pattern", rule.Pattern)
            .Add("direction", rule.IsForSenders ? "in" : "out")
            .Add("containerId", rule.For.ContainerId)
            .Add("connection", rule.For.Connection)
            .Add("addExternalPrefix", rule.AddedPrefix)
            .Add("delExternalPrefix", rule.RemovedPrefix)
            .Add("distribution", "linkBalanced")
            .Add("operStatus", isActive ? "active" : "inactive");
        return new ConfiguredEntity(LinkRoute, $"{LinkRoute}/{rule.Name}", rule.Name, attributes);
    }
}
