namespace Pillarbox.Protocols.Amqp.Routed.Counting;

/// <summary>Deliveries that one link, or several, have passed on, at one moment.</summary>
public readonly record struct DeliveryTotals
{
    /// <summary>All that began.</summary>
    public long Deliveries { get; init; }

    /// <summary>The sender had settled them.</summary>
    public long Presettled { get; init; }

    /// <summary>The sender had settled them, and nobody wanted them.</summary>
    public long DroppedPresettled { get; init; }

    public long Accepted { get; init; }

    public long Rejected { get; init; }

    public long Released { get; init; }

    public long Modified { get; init; }

    /// <summary>Settled after more than one second, and at most ten.</summary>
    public long Delayed1Sec { get; init; }

    /// <summary>Settled after more than ten seconds.</summary>
    public long Delayed10Sec { get; init; }

    /// <summary>Found unsettled after more than ten seconds.</summary>
    public long Stuck { get; init; }

    /// <summary>Came from a client of this node.</summary>
    public long Ingress { get; init; }

    /// <summary>Went to a destination of this node.</summary>
    public long Egress { get; init; }

    /// <summary>Came from a router and went to another.</summary>
    public long Transit { get; init; }

    /// <summary>Of <see cref="Ingress"/> those of route containers.</summary>
    public long IngressRouteContainer { get; init; }

    /// <summary>Of <see cref="Egress"/> those to route containers.</summary>
    public long EgressRouteContainer { get; init; }

    public static DeliveryTotals operator +(in DeliveryTotals one, in DeliveryTotals other) => new()
    {
        Deliveries = one.Deliveries + other.Deliveries,
        Presettled = one.Presettled + other.Presettled,
        DroppedPresettled = one.DroppedPresettled + other.DroppedPresettled,
        Accepted = one.Accepted + other.Accepted,
        Rejected = one.Rejected + other.Rejected,
        Released = one.Released + other.Released,
        Modified = one.Modified + other.Modified,
        Delayed1Sec = one.Delayed1Sec + other.Delayed1Sec,
        Delayed10Sec = one.Delayed10Sec + other.Delayed10Sec,
        Stuck = one.Stuck + other.Stuck,
        Ingress = one.Ingress + other.Ingress,
        Egress = one.Egress + other.Egress,
        Transit = one.Transit + other.Transit,
        IngressRouteContainer = one.IngressRouteContainer + other.IngressRouteContainer,
        EgressRouteContainer = one.EgressRouteContainer + other.EgressRouteContainer,
    };
}
