using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;

namespace Pillarbox.Router.Management.Views;

/// <summary>What is shown of connections and links, by what they say of themselves. Pure.</summary>
internal static class TrafficViews
{
    /// <summary>Shows a connection.</summary>
    public static ConnectionView Of(ConnectionFacts facts, long nowUnixMs, TrafficFacts traffic) => new()
    {
        Id = facts.Id,
        Host = facts.RemoteEndPoint,
        Container = facts.Container,
        Tenant = facts.Tenant,
        Role = facts.Plan.Role switch
        {
            ConnectionRole.InterRouter => "inter-router",
            ConnectionRole.Edge => "edge",
            ConnectionRole.RouteContainer => "route-container",
            _ => "normal",
        },
        Direction = facts.Plan.IsInitiator ? "out" : "in",
        IsOpened = facts.IsOpened,
        // Who says that he is nobody has said so by SASL. Whom the node's certificate names, its peer knows.
        IsAuthenticated = facts.SaslMechanism is not null,
        User = facts.User
            ?? (facts.SaslMechanism is null or SaslServers.External ? null : Model.Identity.Anonymous.Name),
        Sasl = facts.SaslMechanism,
        IsEncrypted = facts.IsEncrypted,
        TlsProtocol = facts.TlsProtocol,
        TlsCipher = facts.TlsCipher,
        TlsBits = facts.TlsBits,
        UptimeSeconds = (nowUnixMs - facts.SinceUnixMs) / 1000,
        LastDeliverySeconds = (nowUnixMs - LastDeliveryOf(facts.Id, traffic)) / 1000,
        Properties = facts.Properties,
    };

    /// <summary>Shows a link.</summary>
    public static LinkView Of(LinkFacts facts, RouteKeys keys) => new()
    {
        Id = facts.Id,
        Name = facts.Name,
        ConnectionId = facts.ConnectionId,
        Type = facts.Kind switch
        {
            RoutedLinkKind.Control => "router-control",
            RoutedLinkKind.Router => "inter-router",
            RoutedLinkKind.Downlink => "edge-downlink",
            _ => "endpoint",
        },
        Peer = facts.OtherHalf,
        Direction = facts.IsIncoming ? "in" : "out",
        OwningAddress = facts.IsHalf ? facts.Address
            : facts.Address is { } address && RouteAddress.TryParse(address, out RouteAddress parsed)
            ? keys.Of(parsed, phase: 0)
            : null,
        Capacity = facts.Capacity,
        Credit = facts.Credit,
        Priority = facts.Priority,
        DeliveryCount = facts.Totals.Deliveries,
        Deliveries = CounterViews.Of(facts.Totals),
        Undelivered = facts.Undelivered,
        Unsettled = facts.Unsettled,
        ZeroCreditSeconds = facts.ZeroCreditMs / 1000,
        SettleRate = facts.SettleRate,
        IngressHistogram = [.. facts.IngressHistogram],
    };

    private static long? LastDeliveryOf(long connection, TrafficFacts traffic)
    {
        long last = traffic.Links.Where(link => link.ConnectionId == connection)
            .Select(link => link.LastDeliveryMs).DefaultIfEmpty().Max();
        return last == 0 ? null : last;
    }
}
