using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Routed.Edges;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// The network of nodes, as the links of this node's connections see it; the router implements it. Any thread, and
/// nothing waits: what changes tables is done later, and told then.
/// </summary>
public interface INetwork : IContainerNetwork
{
    /// <summary>This node's id, without an area.</summary>
    string NodeId { get; }

    /// <summary>What messages say of their way by this node; empty at an edge: they enter the network at its
    /// router.</summary>
    string StampId { get; }

    /// <summary>Deliveries that a sender may have on their way, by default 250.</summary>
    int LinkCapacity { get; }

    /// <summary>
    /// A client wants to send to an address. <paramref name="watch"/> is told whenever the first destination comes or
    /// the last one goes, also when there is one already. Null: nobody can send there.
    /// </summary>
    IRoute? OpenSender(string address, IDestinationWatch watch);

    /// <summary>The sender's link is gone.</summary>
    void CloseSender(IRoute route, IDestinationWatch watch);

    /// <summary>An edge node is attached by a connection: <paramref name="outlet"/> leads to it.</summary>
    void OpenEdge(string edgeId, Outlet outlet);

    /// <summary>It is gone.</summary>
    void CloseEdge(string edgeId, Outlet outlet);

    /// <summary>This node is at the edge, and has a connection to the interior.</summary>
    void OnUplink(PeerLink uplink);

    /// <summary>It is gone.</summary>
    void OnUplinkLost(PeerLink uplink);

    /// <summary>The interior takes messages for an address by a link of their own; null: not now.</summary>
    /// <param name="uplink">The connection to the interior.</param>
    /// <param name="key">The address's key, see <see cref="UplinkWish.Key"/>.</param>
    /// <param name="outlet">The link.</param>
    void OnUplinkOutlet(PeerLink uplink, string key, Outlet? outlet);

    /// <summary>At an edge: the interior says that a broker elsewhere has an address, or has it no longer.</summary>
    void OnUplinkBroker(PeerLink uplink, string address, bool isMulticast, bool isThere);

    /// <summary>Tells an edge whether a broker elsewhere has an address that it uses: at once, and when that
    /// changes.</summary>
    void WatchBroker(string address, IBrokerWatch watch);

    /// <summary>The edge uses it no longer.</summary>
    void UnwatchBroker(string address, IBrokerWatch watch);

    /// <summary>
    /// At an edge: what the interior knows of an address that a client attaches to. Null: there is nobody to ask, or
    /// nothing to ask for.
    /// </summary>
    Task<InteriorAnswer>? LookUp(string address, bool toSend);

    /// <summary>A client wants what is sent to an address. Null: nobody can draw from there.</summary>
    IRoute? OpenReceiver(string address, Outlet outlet);

    /// <summary>The receiver's link is gone.</summary>
    void CloseReceiver(IRoute route, Outlet outlet);

    /// <summary>
    /// The node's broker has an address: <paramref name="outlet"/> takes what is sent to it from anywhere, and what the
    /// broker gives back goes to those who want to draw from it, on the route that is returned; <paramref
    /// name="watch"/>
    /// is told whether there are such. What other nodes have to say to all whose brokers have the address comes to
    /// <paramref name="door"/>. Null: nobody may use it.
    /// </summary>
    IRoute? OpenBroker(string address, bool isMulticast, Outlet outlet, Outlet door, IDestinationWatch watch);

    /// <summary>The broker has it no longer.</summary>
    void CloseBroker(string address, Outlet outlet, Outlet door, IDestinationWatch watch);

    /// <summary>Where those are spoken to whose brokers have an address, see <see cref="OpenBroker"/>; an edge does not
    /// know whether there are any.</summary>
    IReadOnlyList<string> DoorsOf(string address);

    /// <summary>The router of the interior by which others reach this node: itself, or an edge's.</summary>
    string HomeRouter { get; }

    /// <summary>Whether somebody draws from an address at a router, or at an edge of it, as far as this node knows; an
    /// edge knows only whether there is anybody.</summary>
    bool HasDestinationAt(IRoute route, string router);

    /// <summary>A router's bit in sets of routers, this one 0; -1: it is not known.</summary>
    /// <param name="id">As in annotations, in UTF-8.</param>
    int IndexOf(ReadOnlySpan<byte> id);

    /// <summary>Is another whenever something in the network has changed.</summary>
    long Version { get; }

    /// <summary>An address that nobody else has: of this node for a receiver, anywhere in the network for a
    /// sender.</summary>
    string NewDynamicAddress(bool forSender);

    /// <summary>Where a message goes whose own address decides; null: nobody wants it.</summary>
    /// <param name="address">UTF-8, as the message has it.</param>
    /// <param name="phase">The phase that a router before has given it; null: it comes from a client.</param>
    IRoute? Find(ReadOnlySpan<byte> address, int? phase);

    /// <summary>Another router is there: control links both ways are attached.</summary>
    void OnPeerUp(PeerLink peer);

    /// <summary>It is gone, with its connection or its control links.</summary>
    void OnPeerDown(PeerLink peer);

    /// <summary>It sent a control message: the whole bare message and what is before it. Valid during the
    /// call.</summary>
    void OnControl(PeerLink peer, ReadOnlySpan<byte> message);
}

/// <summary>One address of the network, as links that send to it see it. Any thread.</summary>
public interface IRoute
{
    /// <summary>What messages to it carry from node to node.</summary>
    string Address { get; }

    /// <summary>The phase that messages to it carry, 0 to 9.</summary>
    int Phase { get; }

    /// <summary>Whether every destination gets each message.</summary>
    bool IsMulticast { get; }

    /// <summary>Where messages go that nobody takes here; null: back to their senders.</summary>
    IRoute? Fallback => null;

    /// <summary>Whether it is forgotten: a link that has kept it asks the network again.</summary>
    bool IsRetired { get; }

    /// <summary>Chooses one destination, and counts the delivery as its load; no outlet: there is none.</summary>
    RouteChoice Choose(in RouteQuery query);

    /// <summary>Chooses every destination.</summary>
    void ChooseAll(in RouteQuery query, List<RouteChoice> into);

    /// <summary>The priority that its messages go by between routers, 0 to 9; null: their own.</summary>
    int? Priority => null;

    /// <summary>What its senders count.</summary>
    AddressTallies Tallies { get; }
}

/// <summary>What the choice of a destination looks at. Lives as long as the message's bytes.</summary>
public readonly ref struct RouteQuery
{
    /// <summary>The router that the message comes from; null: a client of this node sent it.</summary>
    public PeerLink? From { get; init; }

    /// <summary>The message's priority, 0 to 9.</summary>
    public int Priority { get; init; }

    /// <summary>Where the message entered the network, as <c>0/ID</c> in UTF-8; empty: here.</summary>
    public ReadOnlySpan<byte> Ingress { get; init; }

    /// <summary>The encoded strings of the nodes that it has passed.</summary>
    public ReadOnlySpan<byte> Trace { get; init; }

    /// <summary>How many those are.</summary>
    public int TraceCount { get; init; }

    /// <summary>Outlets of this owner are no destination: an edge's messages do not go back to it; null: of
    /// nobody.</summary>
    public object? ExceptOwner { get; init; }
}

/// <summary>A destination of one delivery.</summary>
/// <param name="Outlet">Where it goes; null: nowhere.</param>
/// <param name="Load">What the delivery counts for until it is settled.</param>
public readonly record struct RouteChoice(Outlet? Outlet, LoadCounter? Load);

/// <summary>Somebody who wants to know whether an address has destinations. Called on any thread.</summary>
public interface IDestinationWatch
{
    /// <summary>Outlets of this owner do not count; null: of nobody.</summary>
    object? ExceptOwner => null;

    /// <summary>Whether the address's fallback destination counts as one.</summary>
    bool CountsFallback => true;

    /// <summary>There are some now, or none any more.</summary>
    void OnDestinations(bool any);
}

/// <summary>Who wants to know whether brokers have an address. Called on any thread, under the network's
/// lock.</summary>
public interface IBrokerWatch
{
    /// <summary>One has it now, or none has it any more.</summary>
    void OnBroker(string address, bool isMulticast, bool isThere);
}

/// <summary>How much is on its way to a destination. Any thread.</summary>
public sealed class LoadCounter
{
    private int _value;

    /// <summary>Deliveries that were handed over and are not settled.</summary>
    public int Value => Volatile.Read(ref _value);

    /// <summary>One more is on its way.</summary>
    public void Add() => Interlocked.Increment(ref _value);

    /// <summary>One is settled.</summary>
    public void Remove() => Interlocked.Decrement(ref _value);
}

/// <summary>
/// Where deliveries leave this node: a client's link, a link to another router, or the node's own broker. Any thread.
/// </summary>
public abstract class Outlet
{
    private protected Outlet()
    {
    }

    /// <summary>What is on its way to it.</summary>
    public LoadCounter Load { get; } = new();

    /// <summary>The router at its other end; null: a destination of this node.</summary>
    public virtual PeerLink? Peer => null;

    /// <summary>What is behind it, when that is no router.</summary>
    public virtual OutletPlace Place => OutletPlace.Client;

    /// <summary>Whether what goes there keeps the routers' annotations.</summary>
    public virtual bool TakesStamps => Peer is not null;

    /// <summary>Whose it is: the same of all outlets of a connection.</summary>
    public object Owner => Inbox;

    internal abstract RoutedInbox Inbox { get; }

    /// <summary>A delivery that it was given is unsettled for long. Any thread.</summary>
    internal virtual void OnStuck()
    {
    }

    /// <summary>Takes a delivery. On the thread that owns the inbox.</summary>
    internal abstract void OnDelivery(RoutedDelivery delivery);

    /// <summary>Takes a further piece of a delivery. On the thread that owns the inbox.</summary>
    internal abstract void OnPart(RoutedDelivery delivery, in RoutedPart part);

    /// <summary>The sender gave a delivery up before its end. On the thread that owns the inbox.</summary>
    internal abstract void OnAbort(RoutedDelivery delivery);

    /// <summary>The sender states an outcome, or settles. On the thread that owns the inbox.</summary>
    internal abstract void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled);
}

/// <summary>A connection to another router. Any thread.</summary>
public abstract class PeerLink
{
    private protected PeerLink()
    {
    }

    /// <summary>The other router's id.</summary>
    public abstract string PeerId { get; }

    /// <summary>The larger of the costs that both ends name, at least 1.</summary>
    public abstract int Cost { get; }

    /// <summary>The listener or connector of this node that it belongs to.</summary>
    public abstract string PlanName { get; }

    /// <summary>Whether this node made the connection.</summary>
    public abstract bool IsInitiator { get; }

    /// <summary>The other end's network address.</summary>
    public abstract string RemoteEndPoint { get; }

    /// <summary>What the router keeps with it.</summary>
    public object? Tag { get; set; }

    /// <summary>Whether the peer is a node like this one: then what a sender has settled crosses unsettled and marked,
    /// so that it is never dropped.</summary>
    internal abstract bool IsAlike { get; }

    /// <summary>Of an edge's connection to the interior: a link for an address is wanted, or no longer.</summary>
    public virtual void Want(in UplinkWish wish, bool isWanted)
    {
    }

    /// <summary>Of an edge's connection to the interior: the edge has containers for addresses whose links go on as a
    /// whole, or none any more.</summary>
    public virtual void Tell(in UplinkLinkRoute route, bool isThere)
    {
    }

    /// <summary>Of an edge's connection to the interior: asks what the interior knows of an address.</summary>
    public virtual Task<InteriorAnswer> LookUp(string address, bool toSend) =>
        Task.FromResult(InteriorAnswer.None);

    /// <summary>The link for messages of a priority, or of the nearest lower one; null: none is there yet.</summary>
    public abstract Outlet? OutletFor(int priority);

    /// <summary>What begins links for others on its connection; null: not there.</summary>
    public virtual LinkCarrier? Carrier => null;

    /// <summary>Where messages without an end in sight go; null: the peer takes them on the links of their
    /// priority.</summary>
    public virtual Outlet? StreamOutlet => null;

    /// <summary>The peer has said nothing for too long: the connection is given up, and what was on its way by it comes
    /// back at once.</summary>
    public virtual void GiveUp()
    {
    }

    /// <summary>Sends a control message, encoded from its first section on; it is dropped when too many wait.</summary>
    public abstract void SendControl(byte[] message);
}
