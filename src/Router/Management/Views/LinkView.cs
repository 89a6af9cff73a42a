using System.Collections.Immutable;

namespace Pillarbox.Router.Management.Views;

/// <summary>A link at one moment.</summary>
public sealed record LinkView
{
    public required long Id { get; init; }

    /// <summary>The name in the attach.</summary>
    public required string Name { get; init; }

    /// <summary>The connection's <see cref="ConnectionView.Id"/>.</summary>
    public required long ConnectionId { get; init; }

    /// <summary>endpoint, router-control, inter-router, edge-downlink, router-data-0 ...</summary>
    public string Type { get; init; } = "endpoint";

    /// <summary>in: deliveries come by it; out: they go.</summary>
    public required string Direction { get; init; }

    /// <summary>The address key that it belongs to; null: an anonymous link.</summary>
    public string? OwningAddress { get; init; }

    /// <summary>Of a routed link the other end's <see cref="Id"/>.</summary>
    public long? Peer { get; init; }

    /// <summary>Deliveries that may be under way.</summary>
    public int Capacity { get; init; }

    public int Priority { get; init; }

    public long Undelivered { get; init; }

    public long Unsettled { get; init; }

    /// <summary>All deliveries; the outcomes are in <see cref="Deliveries"/>.</summary>
    public long DeliveryCount { get; init; }

    public DeliveryCounters Deliveries { get; init; } = new();

    public long Credit { get; init; }

    /// <summary>How long there has been no credit.</summary>
    public long ZeroCreditSeconds { get; init; }

    /// <summary>Deliveries settled a second.</summary>
    public long SettleRate { get; init; }

    /// <summary>Deliveries by the router where they entered the network, by its bit; empty: not counted.</summary>
    public ImmutableArray<long> IngressHistogram { get; init; } = [];

    /// <summary>enabled or disabled.</summary>
    public string AdminStatus { get; init; } = "enabled";

    /// <summary>up, down, quiescing or idle.</summary>
    public string OperStatus { get; init; } = "up";
}
