using System.Globalization;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Containers;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the router's links to containers.</summary>
internal static class ContainerRules
{
    public static AutoLinkRule Of(AutoLinkConfig config, int index) => new(
        new AutoLinkPlan
        {
            Name = config.Name ?? Number(index),
            Address = config.Address,
            IsIncoming = config.Direction == LinkDirection.In,
            Phase = config.Phase ?? (config.Direction == LinkDirection.In && !config.Fallback ? 1 : 0),
            ExternalAddress = config.ExternalAddress,
            IsFallback = config.Fallback,
        },
        new ContainerRule(config.Connection, config.ContainerId));

    public static LinkRouteRule Of(LinkRouteConfig config, int index) => new()
    {
        Name = config.Name ?? Number(index),
        Prefix = config.Prefix,
        Pattern = config.Pattern,
        IsForSenders = config.Direction == LinkDirection.In,
        For = new ContainerRule(config.Connection, config.ContainerId),
        AddedPrefix = config.AddExternalPrefix,
        RemovedPrefix = config.DelExternalPrefix,
    };

    private static string Number(int index) => index.ToString(CultureInfo.InvariantCulture);
}
