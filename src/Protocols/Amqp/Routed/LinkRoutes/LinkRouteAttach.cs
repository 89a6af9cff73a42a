using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

/// <summary>From an attach to a link that goes on as a whole to a broker or another container.</summary>
internal static class LinkRouteAttach
{
    // A dynamic terminus may say among whose addresses the new one is to be.
    private const string DynamicAddress = "x-opt-qd.address";

    /// <summary>Takes the attach if the operator has routed its address. Errors: the authorizer's refusals.</summary>
    public static bool Takes(AmqpSession session, IContainerNetwork network, Attach attach)
    {
        // Whose addresses are within a virtual host has none of those that are routed for all.
        if (session.Connection.Tenant is not null || AddressOf(attach) is not { } address)
        {
            return false;
        }

        bool toSend = attach.Role == Role.Sender;
        LinkRouteWay? found = network.HasLinkRoutes
            ? network.FindLinkRoute(address, toSend, RouterOf(session.Connection))
            : null;
        if (found?.Carrier is null && AskInterior(session, attach, address, toSend) is { } asked)
        {
            if (!asked.IsCompleted)
            {
                // The attach begins anew with the answer.
                return true;
            }

            found = asked.Result.Or(found);
        }

        if (found is not { } way)
        {
            return false;
        }

        RoutedAttach.Authorize(session.Connection, address, toSend ? Permission.Send : Permission.Consume);
        if (way.Carrier is null)
        {
            session.Refuse(attach, LinkRouteErrors.NoRoute);
            return true;
        }

        bool isFromRouter = session.Connection.Role == ConnectionRole.InterRouter;
        string name = OnwardName(session.Connection, attach);
        if (!session.Connection.Environment.UnderWay.TryEnter(name, attach.Role, isFromRouter))
        {
            session.Refuse(attach, LinkRouteErrors.NoRoute);
            return true;
        }

        var end = RoutedEnd.Make(session, attach, way);
        Link link = toSend
            ? new LinkRouteIncoming(session, attach, end)
            : new RoutedOutgoingLink(session, attach, end);
        session.Put(link);
        end.Begin(link);
        return true;
    }

    /// <summary>The attach as it goes on: with a name that no other container's link has, to the container's own
    /// address.</summary>
    public static Attach Onward(ConnectionEndpoint from, Attach attach, LinkRouteWay way) => attach with
    {
        Name = OnwardName(from, attach),
        Source = Map(attach.Source, way.ToContainer, attach.Role == Role.Receiver) as Source,
        Target = Map(attach.Target, way.ToContainer, attach.Role == Role.Sender),
    };

    /// <summary>A terminus with its address changed, when it is the one that the link is routed by.</summary>
    public static Terminus? Map(Terminus? terminus, Func<string, string> change, bool isRoutedBy) => terminus switch
    {
        Source { Address: { } address } source when isRoutedBy => source with { Address = change(address) },
        Target { Address: { } address } target when isRoutedBy => target with { Address = change(address) },
        _ => terminus,
    };

    private static LinkCarrier? RouterOf(ConnectionEndpoint connection) =>
        connection.Role is ConnectionRole.InterRouter or ConnectionRole.Edge ? connection.Carrier : null;

    // What the edge's own broker has stays there, whether the interior is reached or not.
    private static Task<InteriorAnswer>? AskInterior(
        AmqpSession session, Attach attach, string address, bool toSend) =>
        session.Connection.Role is ConnectionRole.Normal or ConnectionRole.RouteContainer
            && !RoutedAttach.IsOfBroker(session.Connection, address)
            ? session.Connection.Hold.LookUp(session.Connection.Network!, session, attach, address, toSend)
            : null;

    private static string OnwardName(ConnectionEndpoint from, Attach attach) =>
        from.Role is ConnectionRole.InterRouter ? attach.Name : $"{attach.Name}@{from.ContainerId}";

    private static string? AddressOf(Attach attach) => attach.Role == Role.Sender
        ? attach.Target switch
        {
            Coordinator => LinkRouteWay.Coordinator,
            Target { Dynamic: true } target => DynamicOf(target.DynamicNodeProperties),
            Target target => NotEmpty(target.Address),
            _ => null,
        }
        : attach.Source switch
        {
            { Dynamic: true } source => DynamicOf(source.DynamicNodeProperties),
            { } source => NotEmpty(source.Address),
            _ => null,
        };

    private static string? NotEmpty(string? address) => string.IsNullOrEmpty(address) ? null : address;

    private static string? DynamicOf(AmqpMap? properties) =>
        properties is not null && properties.TryGet(DynamicAddress, out AmqpValue value)
            ? NotEmpty(value.AsText()) : null;
}
