using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>A node that is a router, on one thread, with clients that are written frame by frame.</summary>
internal sealed class RoutedScene : IDisposable
{
    private int _clients;

    public RoutedScene(params AddressRule[] rules)
        : this((SecurityConfig?)null, rules)
    {
    }

    /// <param name="security">Who may do what; null: everybody everything.</param>
    /// <param name="rules">The operator's rules for addresses.</param>
    public RoutedScene(SecurityConfig? security, params AddressRule[] rules)
        : this(RouterMode.Interior, security, rules)
    {
    }

    /// <param name="mode">Where in the network the node is; at the edge it is called E.</param>
    /// <param name="security">Who may do what; null: everybody everything.</param>
    /// <param name="rules">The operator's rules for addresses.</param>
    public RoutedScene(RouterMode mode, SecurityConfig? security = null, params AddressRule[] rules)
        : this(mode, options => options with { Security = security }, rules)
    {
    }

    /// <param name="configure">How the broker is configured.</param>
    /// <param name="rules">The operator's rules for addresses.</param>
    public RoutedScene(Func<BrokerOptions, BrokerOptions> configure, params AddressRule[] rules)
        : this(RouterMode.Interior, configure, rules)
    {
    }

    /// <param name="mode">Where in the network the node is; at the edge it is called E.</param>
    /// <param name="configure">Changes the options of its broker.</param>
    /// <param name="rules">The operator's rules for addresses.</param>
    public RoutedScene(
        RouterMode mode, Func<BrokerOptions, BrokerOptions> configure, params AddressRule[] rules)
    {
        Node = new AmqpScene(configure: configure);
        Network = new NodeNetwork(new NodeNetworkOptions
        {
            Id = mode == RouterMode.Edge ? "E" : "A",
            Mode = mode,
            Addresses = rules,
            Time = Node.Clock,
            Random = new SeededRandom(3),
        });
        Network.Observe(Node.Handler.Describe, Node.Handler.TryClose);
        Node.Handler.Join(Network);
    }

    public AmqpScene Node { get; }

    public NodeNetwork Network { get; }

    public void Dispose()
    {
        Assert.Empty(Node.Faults.Errors);
        Network.Dispose();
        Node.Dispose();
    }

    /// <summary>A client with a session.</summary>
    public AmqpPeer Client() => Node.InSession(open: new Open { ContainerId = $"peer-{++_clients}" });

    /// <summary>A client that draws from an address, with credit.</summary>
    public AmqpPeer Receiver(
        string address, uint credit = 100, SenderSettleMode mode = SenderSettleMode.Mixed)
    {
        AmqpPeer peer = Client();
        peer.AttachReceiver(0, address, mode);
        if (credit > 0)
        {
            peer.Credit(0, credit);
        }

        return peer;
    }

    /// <summary>A client that sends to an address; what it has got of credit is left to be looked at.</summary>
    public AmqpPeer Sender(string? address)
    {
        AmqpPeer peer = Client();
        peer.Send(FrameBytes.Of(Steps.SenderAttach(0, address)));
        peer.Next(Attach.DescriptorCode);
        return peer;
    }
}
