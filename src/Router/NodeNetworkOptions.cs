using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Model;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router;

/// <summary>What a node is in its network.</summary>
public enum RouterMode
{
    /// <summary>A router without others.</summary>
    Standalone,

    /// <summary>One of the routers that know the whole network.</summary>
    Interior,

    /// <summary>A router at the edge, behind one of the interior.</summary>
    Edge,
}

/// <summary>What a node's part in a network is made of. Immutable.</summary>
public sealed record NodeNetworkOptions
{
    /// <summary>Its id, unique in the network.</summary>
    public required string Id { get; init; }

    public RouterMode Mode { get; init; } = RouterMode.Standalone;

    /// <summary>Deliveries that a sender may have on their way.</summary>
    public int LinkCapacity { get; init; } = 250;

    /// <summary>How addresses are treated that no rule names.</summary>
    public AddressTreatment DefaultTreatment { get; init; } = AddressTreatment.Balanced;

    /// <summary>The operator's rules for addresses.</summary>
    public IReadOnlyList<AddressRule> Addresses { get; init; } = [];

    /// <summary>Links that the node keeps to brokers and other containers by itself.</summary>
    public IReadOnlyList<AutoLinkRule> AutoLinks { get; init; } = [];

    /// <summary>Addresses whose links go to a broker or another container as a whole.</summary>
    public IReadOnlyList<LinkRouteRule> LinkRoutes { get; init; } = [];

    /// <summary>The timers of the protocol between routers; its <see cref="RouterOptions.Id"/> and instance are the
    /// node's own.</summary>
    public RouterOptions Timers { get; init; } = new() { Id = "", Instance = 0 };

    /// <summary>What else is configured of the node, to be shown.</summary>
    public IReadOnlyList<ConfiguredEntity> Configured { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public IRandom Random { get; init; } = SystemRandom.Instance;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;
}
