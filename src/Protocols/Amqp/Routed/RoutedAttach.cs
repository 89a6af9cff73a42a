using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Drawing;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;
using Pillarbox.Protocols.Amqp.Routed.Reading;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// From an attach to a link through the network, on a node that is in one. What the node's own broker has, by its
/// address or queue, stays the broker's; so does a transaction's coordinator, and what names a queue explicitly.
/// Everything else is an address of the network, and nothing is made for it in the broker.
/// </summary>
internal static class RoutedAttach
{
    private static readonly string[] Outcomes =
        ["amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"];

    /// <summary>Takes the attach if it is the network's. Errors: the broker's refusals.</summary>
    public static bool Takes(AmqpSession session, INetwork network, Attach attach)
    {
        if (TrunkLinks.Takes(session, attach) || LinkRouteAttach.Takes(session, network, attach))
        {
            return true;
        }

        return attach.Role == Role.Sender
            ? TakesSender(session, network, attach)
            : TakesReceiver(session, network, attach);
    }

    private static bool TakesSender(AmqpSession session, INetwork network, Attach attach)
    {
        if (attach.Target is not Target target || attach.InitialDeliveryCount is null)
        {
            return false;
        }

        if (!target.Dynamic && string.IsNullOrEmpty(target.Address))
        {
            session.AnswerIncoming(attach, target with { Capabilities = null });
            RoutedSender kind = session.Connection.Role == ConnectionRole.Edge
                ? RoutedSender.Edge
                : RoutedSender.Anonymous;
            session.Put(new RoutedIncomingLink(session, attach, kind));
            return true;
        }

        string address = target.Dynamic ? network.NewDynamicAddress(forSender: true) : target.Address!;
        if (!target.Dynamic && StaysHere(session, address))
        {
            return false;
        }

        string within = NameOf(session.Connection, network, address);
        Authorize(session.Connection, within, Permission.Send);
        Target answer = target.Dynamic
            ? target with { Address = address, DynamicNodeProperties = DynamicNode.Properties() }
            : target with { Capabilities = null, Durable = TerminusDurability.None };
        AttachTo(session, network, attach, answer, within, PlaceOf(session, target.Capabilities, toSend: true));
        return true;
    }

    /// <summary>The network's address for what a connection's client calls one.</summary>
    public static string NameOf(ConnectionEndpoint connection, INetwork network, string address) =>
        connection.Tenant is { } tenant ? network.NameWithin(tenant, address) : address;

    // An edge's links are the network's, so that its queues and those of the same name here stay apart.
    private static bool StaysHere(AmqpSession session, string address) =>
        session.Connection is { Tenant: null, Role: not ConnectionRole.Edge }
            && IsOfBroker(session.Connection, address);

    private static RoutePlace? PlaceOf(AmqpSession session, string[]? capabilities, bool toSend) =>
        RoutePlace.Of(capabilities, toSend, session.Connection.Role == ConnectionRole.Edge);

    private static void AttachTo(
        AmqpSession session, INetwork network, Attach attach, Target answer, string address, RoutePlace? place)
    {
        bool isEdge = session.Connection.Role == ConnectionRole.Edge;
        var watch = new EarlyWatch
        {
            ExceptOwner = isEdge ? session.Connection.Routed.Inbox : null,
            CountsFallback = place is not { IsFallback: true },
        };
        IRoute? opened = place is { } own
            ? network.OpenSenderAt(address, own, watch)
            : network.OpenSender(address, watch);
        if (opened is not { } route)
        {
            RefuseUnavailable(session, attach);
            return;
        }

        session.AnswerIncoming(attach, answer);
        EdgeTracking? tracking = place is null && isEdge ? session.Connection.Tracking : null;
        var link = new RoutedIncomingLink(session, attach, RoutedSender.ToAddress)
        {
            IsFallback = place is { IsFallback: true },
            OnReleased = () => tracking?.Leave(address),
        };
        session.Put(link);
        link.SetRoute(route, watch);
        tracking?.Use(address);
        if (watch.HasNobody && session.Connection.IsPeerAlike)
        {
            // Who sends to everybody there waits for this word.
            tracking?.Tell(route, hasDestinations: false);
        }
    }

    private static bool TakesReceiver(AmqpSession session, INetwork network, Attach attach)
    {
        if (attach.Source is not { } source)
        {
            return false;
        }

        if (TakesEdge(session, network, attach, source) || RemoteReading.Takes(session, network, attach, source))
        {
            return true;
        }

        string address = source.Dynamic ? network.NewDynamicAddress(forSender: false) : source.Address ?? "";
        if (!source.Dynamic && StaysHere(session, address))
        {
            return false;
        }

        address = NameOf(session.Connection, network, address);
        if (!source.Dynamic)
        {
            Authorize(session.Connection, address, Permission.Consume);
        }

        if (MakeReceiver(session, network, attach, address, PlaceOf(session, source.Capabilities, toSend: false))
            is not { } link)
        {
            RefuseUnavailable(session, attach);
            return true;
        }

        Answer(session, attach, source.Dynamic
            ? source with { Address = address, DynamicNodeProperties = DynamicNode.Properties() }
            : source);
        session.Put(link);
        return true;
    }

    // Null: nobody can draw from there.
    private static RoutedOutgoingLink? MakeReceiver(
        AmqpSession session, INetwork network, Attach attach, string address, RoutePlace? place)
    {
        bool isClient = session.Connection.Role == ConnectionRole.Normal;
        EdgeTracking? tracking = session.Connection.Role == ConnectionRole.Edge ? session.Connection.Tracking : null;
        IRoute? route = null;
        RoutedOutgoingLink? link = null;
        DrainQuestion? question = null;
        bool showsNotes = session.Connection.Plan.Limits is { ShowsRouterNotes: true };
        link = new RoutedOutgoingLink(session, attach, peer: null, showsNotes)
        {
            Address = address,
            OnDrain = place is not null || !isClient ? null : done =>
            {
                question?.Close();
                question = new DrainQuestion(session, network, address);
                return question.Ask(done);
            },
            OnReleased = () =>
            {
                question?.Close();
                tracking?.Leave(address);
                if (place is null)
                {
                    network.CloseReceiver(route!, link!.Outlet);
                }
                else
                {
                    network.CloseReceiverAt(route!, link!.Outlet);
                }
            },
        };
        route = place is { } own
            ? network.OpenReceiverAt(address, own, link.Outlet)
            : network.OpenReceiver(address, link.Outlet);
        if (route is null)
        {
            link.Unlist();
            return null;
        }

        tracking?.Use(address);
        return link;
    }

    private static bool TakesEdge(AmqpSession session, INetwork network, Attach attach, Source source)
    {
        if (source.Capabilities?.Contains(EdgeUplink.DownlinkCapability) == true)
        {
            AttachEdge(session, network, attach, source);
            return true;
        }

        if (session.Connection.Role != ConnectionRole.Edge || source.Address != EdgeTracking.Address)
        {
            return false;
        }

        Answer(session, attach, source);
        session.Connection.Tracking = new EdgeTracking(session, attach);
        session.Put(session.Connection.Tracking.Link);
        return true;
    }

    // What is for addresses of an edge goes by a link of its own.
    private static void AttachEdge(AmqpSession session, INetwork network, Attach attach, Source source)
    {
        if (session.Connection.Role != ConnectionRole.Edge || string.IsNullOrEmpty(source.Address))
        {
            session.Refuse(attach, new AmqpError
            {
                Condition = "qd:forbidden",
                Description = "an edge's link on a connection that is none of an edge",
            });
            return;
        }

        RoutedOutgoingLink? link = null;
        link = new RoutedOutgoingLink(session, attach)
        {
            OnReleased = () => network.CloseEdge(source.Address, link!.Outlet),
            IsDownlink = true,
        };
        Answer(session, attach, source);
        session.Put(link);
        network.OpenEdge(source.Address, link.Outlet);
    }

    // A router keeps nothing: no durability, no filters, no copies.
    private static void Answer(AmqpSession session, Attach attach, Source source) =>
        session.AnswerRouted(attach, source with { Filter = null, DistributionMode = null, Capabilities = null });

    /// <summary>Answers the attach of a receiver whose messages come through the network; no source: it is
    /// refused.</summary>
    public static void AnswerRouted(this AmqpSession session, Attach attach, Source? source) =>
        session.Connection.Frames.Write(session.Channel, new Attach
        {
            Name = attach.Name,
            Handle = session.HandleFor(attach),
            Role = Role.Sender,
            SenderSettleMode = attach.SenderSettleMode,
            ReceiverSettleMode = attach.ReceiverSettleMode,
            Source = source is null ? null : source with
            {
                Durable = TerminusDurability.None,
                ExpiryPolicy = TerminusExpiryPolicy.LinkDetach,
                DefaultOutcome = null,
                Outcomes = Outcomes,
            },
            Target = attach.Target,
            InitialDeliveryCount = 0,
            MaxMessageSize = 0,
        });

    private static void RefuseUnavailable(AmqpSession session, Attach attach) => session.Refuse(
        attach, new AmqpError { Condition = AmqpErrorCondition.NotFound, Description = "Node not found" });

    /// <summary>Whether the node's own broker has an address, or it names one of its queues explicitly.</summary>
    public static bool IsOfBroker(ConnectionEndpoint connection, string address)
    {
        BrokerClient client = connection.Client;
        if (address.StartsWith("amqp:", StringComparison.Ordinal) || address.StartsWith('_'))
        {
            return false;
        }

        // What the broker would refuse to read is for the network to judge.
        if (!AddressName.TryParse(address, out _, out _))
        {
            return false;
        }

        TerminusName name = TerminusName.Parse(address, connection.Options, null);
        return name.RoutingType is not null || name.Name.Queue is not null
            || client.FindAddress(name.Name.Address) is not null || client.FindQueue(name.Name.Address) is not null
            || client.IsStream(name.Name.Address);
    }

    /// <summary>Whether a client may do something with an address. Errors: the authorizer's refusal.</summary>
    public static void Authorize(ConnectionEndpoint connection, string address, Permission permission)
    {
        if (connection.Role == ConnectionRole.Normal && ReaderMessage.IsReserved(address))
        {
            throw new BrokerException(BrokerError.Unauthorized, $"'{address}' is an address of nodes among each other");
        }

        if (AddressName.TryParse(address, out AddressName name, out string? error))
        {
            connection.Environment.Broker.Authorizer.Authorize(
                connection.Identity, permission, connection.AddressSpace, name);
        }
        else if (connection.Environment.Broker.Authorizer.Config is not null)
        {
            throw new BrokerException(BrokerError.InvalidField, error);
        }
    }
}

/// <summary>Keeps word of destinations until the link that wants it is there. Any thread.</summary>
internal sealed class EarlyWatch : IDestinationWatch
{
    private RoutedIncomingLink? _link;
    private int _last = -1;

    /// <inheritdoc/>
    public object? ExceptOwner { get; init; }

    /// <inheritdoc/>
    public bool CountsFallback { get; init; } = true;

    /// <summary>Whether nobody wants the messages now, as far as was told.</summary>
    public bool HasNobody => Volatile.Read(ref _last) != 1;

    /// <inheritdoc/>
    public void OnDestinations(bool any)
    {
        Interlocked.Exchange(ref _last, any ? 1 : 0);
        Volatile.Read(ref _link)?.OnDestinations(any);
    }

    /// <summary>The link is there, and hears what was told before.</summary>
    public void Join(RoutedIncomingLink link)
    {
        Interlocked.Exchange(ref _link, link);
        if (Volatile.Read(ref _last) is var last and >= 0)
        {
            link.OnDestinations(last == 1);
        }
    }
}
