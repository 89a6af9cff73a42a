namespace Pillarbox.Protocols.Amqp.Routed.Containers;

/// <summary>
/// The network, as connections to brokers and other containers see it, and links that go through to them. Any thread,
/// and nothing waits.
/// </summary>
public interface IContainerNetwork
{
    /// <summary>Whether any attach has to be looked at for a way to a container.</summary>
    bool HasLinkRoutes { get; }

    /// <summary>A connection to a container is open.</summary>
    void OnCarrier(LinkCarrier carrier);

    /// <summary>It is gone.</summary>
    void OnCarrierLost(LinkCarrier carrier);

    /// <summary>Like a client's sender, at a place of its own in the address. Null: nobody can send there.</summary>
    IRoute? OpenSenderAt(string address, RoutePlace place, IDestinationWatch watch);

    /// <summary>Like a client's receiver, at a place of its own in the address. Null: nobody can draw from
    /// there.</summary>
    IRoute? OpenReceiverAt(string address, RoutePlace place, Outlet outlet);

    /// <summary>Such a receiver is gone.</summary>
    void CloseReceiverAt(IRoute route, Outlet outlet);

    /// <summary>Where a link to an address goes on as a whole; null: it does not, its messages go one by one.</summary>
    /// <param name="address">As the attach has it; <see cref="LinkRouteWay.Coordinator"/> of a coordinator.</param>
    /// <param name="toSend">Whether the peer sends on the link.</param>
    /// <param name="from">The connection that it comes by, when it is one of another router or container.</param>
    LinkRouteWay? FindLinkRoute(string address, bool toSend, LinkCarrier? from);
}

/// <summary>The way of a whole link.</summary>
/// <param name="Carrier">The connection that it goes on by; null: there is none now.</param>
public sealed record LinkRouteWay(LinkCarrier? Carrier)
{
    /// <summary>What stands for the address of a transaction's coordinator.</summary>
    public const string Coordinator = "$coordinator";

    /// <summary>The container's addresses lack this beginning.</summary>
    public string? Removed { get; init; }

    /// <summary>The container's addresses have this beginning, once the other is removed.</summary>
    public string? Added { get; init; }

    /// <summary>The address as the container knows it.</summary>
    public string ToContainer(string address) => Change(address, Removed, Added);

    /// <summary>The address as the network knows it.</summary>
    public string FromContainer(string address) => Change(address, Added, Removed);

    private static string Change(string address, string? less, string? more)
    {
        string rest = less is not null && address.StartsWith(less, StringComparison.Ordinal)
            ? address[less.Length..]
            : address;
        return more is null ? rest : more + rest;
    }
}
