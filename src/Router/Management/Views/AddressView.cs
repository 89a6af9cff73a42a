using System.Collections.Immutable;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Management.Views;

/// <summary>An address at one moment.</summary>
public sealed record AddressView
{
    /// <summary>E.g. <c>M0orders</c>.</summary>
    public required string Key { get; init; }

    public AddressTreatment Treatment { get; init; } = AddressTreatment.Balanced;

    /// <summary>Destinations inside the router itself.</summary>
    public int InProcess { get; init; }

    /// <summary>Consumers here.</summary>
    public int Subscribers { get; init; }

    /// <summary>Route containers here.</summary>
    public int Containers { get; init; }

    /// <summary>Ids of routers with destinations.</summary>
    public ImmutableArray<string> RemoteRouters { get; init; } = [];

    /// <summary>0 to 9; -1: it is the message's own.</summary>
    public int Priority { get; init; } = -1;

    public long Ingress { get; init; }

    public long Egress { get; init; }

    public long Transit { get; init; }

    public long ToContainer { get; init; }

    public long FromContainer { get; init; }

    public long IngressRouteContainer { get; init; }

    public long EgressRouteContainer { get; init; }

    public long RedirectedToFallback { get; init; }

    /// <summary>Unsettled deliveries on their way by each neighbour, by its bit.</summary>
    public ImmutableArray<long> TransitOutstanding { get; init; } = [];

    /// <summary>Deliveries that are watched until settled.</summary>
    public long Tracked { get; init; }
}
