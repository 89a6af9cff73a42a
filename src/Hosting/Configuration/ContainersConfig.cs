using System.ComponentModel;

namespace Pillarbox.Hosting.Configuration;

/// <summary>The way of messages on a link between the network and a container, as clients of the network see it.
/// </summary>
public enum LinkDirection
{
    /// <summary>Auto links: from the container into the network. Link routes: on which clients send.</summary>
    In,

    /// <summary>Auto links: from the network to the container. Link routes: on which clients draw.</summary>
    Out,
}

/// <summary>A link that the node keeps to a container by itself.</summary>
public sealed record AutoLinkConfig
{
    /// <summary>Its name; null: a number.</summary>
    [Description("Its name, for views and logs; absent: a number.")]
    public string? Name { get; init; }

    /// <summary>The address in the network.</summary>
    [Description("The address in the network.")]
    public string Address { get; init; } = "";

    /// <summary>In or out.</summary>
    [Description("in: the node draws from the container; out: it sends to it.")]
    public LinkDirection Direction { get; init; }

    /// <summary>The phase; null: 1 for in, 0 for out.</summary>
    [Description("The phase of the address, 0 to 9; absent: 1 for in, 0 for out, which fits an address with waypoint.")]
    public int? Phase { get; init; }

    /// <summary>The connector or listener.</summary>
    [Description("The connector or listener of the role routeContainer whose connections it is for.")]
    public string? Connection { get; init; }

    /// <summary>The container.</summary>
    [Description("The id of the container that it is for; instead of 'connection'.")]
    public string? ContainerId { get; init; }

    /// <summary>The address in the container; null: the same.</summary>
    [Description("The address in the container; absent: the same.")]
    public string? ExternalAddress { get; init; }

    /// <summary>Whether the container takes what nobody else takes.</summary>
    [Description("The container is a fallback destination: it takes what nobody else takes (see enableFallback).")]
    public bool Fallback { get; init; }
}

/// <summary>Addresses whose links go to a container as a whole.</summary>
public sealed record LinkRouteConfig
{
    /// <summary>Its name; null: a number.</summary>
    [Description("Its name, for views; absent: a number.")]
    public string? Name { get; init; }

    /// <summary>Addresses that begin with these tokens.</summary>
    [Description("Addresses that begin with these tokens, or are these; instead of 'pattern'. $coordinator: "
        + "transactions.")]
    public string? Prefix { get; init; }

    /// <summary>Addresses of this shape.</summary>
    [Description("Addresses of this shape: tokens between '.' or '/', '*' is one, '#' none or more.")]
    public string? Pattern { get; init; }

    /// <summary>In or out.</summary>
    [Description("in: links on which clients send; out: links on which they draw.")]
    public LinkDirection Direction { get; init; }

    /// <summary>The connector or listener.</summary>
    [Description("The connector or listener of the role routeContainer whose connections it is for.")]
    public string? Connection { get; init; }

    /// <summary>The container.</summary>
    [Description("The id of the container that it is for; instead of 'connection'.")]
    public string? ContainerId { get; init; }

    /// <summary>In front of the container's addresses.</summary>
    [Description("What the container's addresses have in front that those of the network have not.")]
    public string? AddExternalPrefix { get; init; }

    /// <summary>In front of the network's addresses.</summary>
    [Description("What the network's addresses have in front that those of the container have not.")]
    public string? DelExternalPrefix { get; init; }
}
