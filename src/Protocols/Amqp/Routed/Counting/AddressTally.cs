namespace Pillarbox.Protocols.Amqp.Routed.Counting;

/// <summary>
/// What one sender's link has sent to one address. Its loop is the only one that counts; any thread reads. The address
/// holds the tallies of all its senders, and keeps the sums of those that are gone.
/// </summary>
public sealed class AddressTally
{
    /// <summary>From a client of this node.</summary>
    public long Ingress { get; private set; }

    /// <summary>To a client of this node.</summary>
    public long Egress { get; private set; }

    /// <summary>To another router.</summary>
    public long Transit { get; private set; }

    /// <summary>To something inside the node: its broker, its management.</summary>
    public long ToContainer { get; private set; }

    /// <summary>From something inside the node.</summary>
    public long FromContainer { get; private set; }

    /// <summary>Of <see cref="Ingress"/> those of route containers.</summary>
    public long IngressRouteContainer { get; private set; }

    /// <summary>Of <see cref="Egress"/> those to route containers.</summary>
    public long EgressRouteContainer { get; private set; }

    /// <summary>To the fallback destination, for nobody else wanted it.</summary>
    public long RedirectedToFallback { get; private set; }

    /// <summary>A message of a client that somebody wants.</summary>
    public void OnIngress(bool isRouteContainer)
    {
        Ingress++;
        IngressRouteContainer += isRouteContainer ? 1 : 0;
    }

    /// <summary>A message of something inside the node that somebody wants.</summary>
    public void OnFromContainer() => FromContainer++;

    /// <summary>One went to the fallback destination.</summary>
    public void OnFallback() => RedirectedToFallback++;

    /// <summary>It, or a copy of it, goes to a destination.</summary>
    public void OnChosen(Outlet outlet)
    {
        if (outlet.Peer is not null)
        {
            Transit++;
        }
        else if (outlet.Place == OutletPlace.Inside)
        {
            ToContainer++;
        }
        else
        {
            Egress++;
            EgressRouteContainer += outlet.Place == OutletPlace.RouteContainer ? 1 : 0;
        }
    }

    /// <summary>Adds another's.</summary>
    public void Add(AddressTally other)
    {
        Ingress += other.Ingress;
        Egress += other.Egress;
        Transit += other.Transit;
        ToContainer += other.ToContainer;
        FromContainer += other.FromContainer;
        IngressRouteContainer += other.IngressRouteContainer;
        EgressRouteContainer += other.EgressRouteContainer;
        RedirectedToFallback += other.RedirectedToFallback;
    }
}

/// <summary>What is behind an outlet that leads to no router.</summary>
public enum OutletPlace : byte
{
    /// <summary>A client's link.</summary>
    Client,

    /// <summary>The link of a broker that was connected as one.</summary>
    RouteContainer,

    /// <summary>The node itself: its broker, its management, a TCP service.</summary>
    Inside,
}
