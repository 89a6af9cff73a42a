using Pillarbox.Protocols.Amqp.Routed.Containers;

namespace Pillarbox.Router.Containers;

/// <summary>Which connections to containers something is for. Immutable.</summary>
/// <param name="Connection">The name of the listener or connector; null: it does not matter.</param>
/// <param name="ContainerId">What the container calls itself; null: it does not matter.</param>
public sealed record ContainerRule(string? Connection, string? ContainerId)
{
    /// <summary>The one connection that it is for, whoever is there; null: those that are named.</summary>
    public LinkCarrier? Only { get; init; }

    /// <summary>Whether a connection is meant; nobody is, when nothing is named.</summary>
    public bool Matches(LinkCarrier carrier) => Only is not null
        ? Only == carrier
        : carrier.IsContainer
            && ((Connection is not null && Connection == carrier.Name)
                || (ContainerId is not null && ContainerId == carrier.ContainerId));
}

/// <summary>A link that the operator wants to be kept to a container. Immutable.</summary>
/// <param name="Plan">The link.</param>
/// <param name="For">To which containers.</param>
public sealed record AutoLinkRule(AutoLinkPlan Plan, ContainerRule For);

/// <summary>Addresses whose links go to a container as a whole. Immutable.</summary>
public sealed record LinkRouteRule
{
    /// <summary>Unique among the node's.</summary>
    public required string Name { get; init; }

    /// <summary>Addresses that begin with these tokens, or are these; instead of <see cref="Pattern"/>.</summary>
    public string? Prefix { get; init; }

    /// <summary>Addresses of this shape: tokens between <c>.</c> or <c>/</c>, <c>*</c> is one, <c>#</c> none or
    /// more.</summary>
    public string? Pattern { get; init; }

    /// <summary>Whether clients send on these links, and do not draw.</summary>
    public required bool IsForSenders { get; init; }

    /// <summary>To which containers.</summary>
    public required ContainerRule For { get; init; }

    /// <summary>What the container's addresses have in front that those of the network have not.</summary>
    public string? AddedPrefix { get; init; }

    /// <summary>What the network's addresses have in front that those of the container have not.</summary>
    public string? RemovedPrefix { get; init; }

    /// <summary>How routers tell each other of it.</summary>
    public string Key => LinkRouteKey.Of(Prefix ?? Pattern ?? "", Prefix is not null, IsForSenders);
}
