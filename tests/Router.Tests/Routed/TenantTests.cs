using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Clients of a listener whose addresses are within their virtual hosts.</summary>
public sealed class TenantTests : IDisposable
{
    private static readonly ConnectionPlan Plan = new(ConnectionRole.Normal, IsInitiator: false)
    {
        IsMultiTenant = true,
    };

    private readonly RoutedScene _scene = new();
    private int _clients;

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Addresses_of_one_virtual_host_are_not_those_of_another()
    {
        AmqpPeer receiver = Receiver("shop", "orders");
        AmqpPeer stranger = Receiver("bank", "orders");
        AmqpPeer common = _scene.Receiver("orders");
        AmqpPeer sender = Client("shop");
        Assert.True(sender.AttachSender(0, "orders") > 0);
        sender.Transfer(0, 0, Steps.Message("ours"));
        Assert.Equal("ours", Got(receiver));
        Assert.False(HasGot(stranger));
        Assert.False(HasGot(common));
    }

    [Fact]
    public void Clients_read_their_own_names_and_the_network_the_whole_one()
    {
        AmqpPeer client = Client("shop");
        Assert.Equal("orders", client.AttachReceiver(0, "orders").Source!.Address);
        Assert.Contains(_scene.Network.View().Addresses, address => address.Key == "M0shop/orders");
        ConnectionView view = Assert.Single(_scene.Network.View().Connections);
        Assert.Equal("shop", view.Tenant);
    }

    [Fact]
    public void A_message_that_names_its_address_goes_to_that_of_its_virtual_host_through_the_network()
    {
        AmqpPeer receiver = Receiver("shop", "orders");
        AmqpPeer edge = Edge();
        edge.AttachReceiver(0, "bank/orders");
        edge.Credit(0, 10);
        foreach ((string host, uint id) in (ReadOnlySpan<(string, uint)>)[("shop", 0), ("bank", 0)])
        {
            AmqpPeer sender = Client(host);
            sender.Send(FrameBytes.Of(Steps.SenderAttach(0, null)));
            sender.Next(Attach.DescriptorCode);
            sender.Transfer(0, id, MessageTo("orders", host));
        }

        Assert.Equal("shop", Got(receiver));
        Assert.Equal("bank", Got(edge));
    }

    [Fact]
    public void A_reply_comes_to_an_address_that_the_node_made()
    {
        AmqpPeer client = Client("shop");
        client.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Dynamic = true })));
        string address = client.Next(Attach.DescriptorCode).AsAttach().Source!.Address!;
        client.Credit(0, 10);
        AmqpPeer service = Client("shop");
        Assert.True(service.AttachSender(0, address) > 0);
        service.Transfer(0, 0, Steps.Message("reply"));
        Assert.Equal("reply", Got(client));
    }

    [Fact]
    public void Who_names_no_host_is_a_client_of_the_one_that_it_asked_for_under_TLS()
    {
        AmqpPeer receiver = Receiver("shop", "orders");
        AmqpPeer stranger = Receiver("bank", "orders");
        AmqpPeer sender = Client(null, serverName: "shop");
        Assert.True(sender.AttachSender(0, "orders") > 0);
        sender.Transfer(0, 0, Steps.Message("by name"));
        Assert.Equal("by name", Got(receiver));
        AmqpPeer other = Client("bank", serverName: "shop");
        Assert.True(other.AttachSender(0, "orders") > 0);
        other.Transfer(0, 0, Steps.Message("by open"));
        Assert.Equal("by open", Got(stranger));
    }

    [Fact]
    public void A_listeners_own_virtual_host_is_that_of_all_its_clients()
    {
        AmqpPeer receiver = Receiver("shop", "orders");
        AmqpPeer sender = Client("bank", Plan with { PolicyVhost = "shop" });
        Assert.True(sender.AttachSender(0, "orders") > 0);
        sender.Transfer(0, 0, Steps.Message("ours"));
        Assert.Equal("ours", Got(receiver));
    }

    [Fact]
    public void Who_names_no_host_is_in_the_network()
    {
        AmqpPeer receiver = _scene.Receiver("orders");
        AmqpPeer sender = Client(null);
        Assert.True(sender.AttachSender(0, "orders") > 0);
        sender.Transfer(0, 0, Steps.Message("common"));
        Assert.Equal("common", Got(receiver));
    }

    private static string Got(AmqpPeer peer)
    {
        ReceivedFrame frame = peer.Next();
        while (frame.Descriptor != Transfer.DescriptorCode)
        {
            frame = peer.Next();
        }

        frame.AsTransfer(out byte[] message);
        return AmqpMessage.Read(message).Value.AsText() ?? Steps.BodyOf(message);
    }

    private static bool HasGot(AmqpPeer peer) =>
        peer.Frames.Any(frame => frame.Descriptor == Transfer.DescriptorCode);

    private static byte[] MessageTo(string address, string body) => new AmqpMessage
    {
        Properties = new MessageProperties { To = address },
        BodyKind = BodyKind.Value,
        Value = body,
    }.ToArray();

    private AmqpPeer Receiver(string host, string address)
    {
        AmqpPeer client = Client(host);
        client.AttachReceiver(0, address);
        return client.Credit(0, 10);
    }

    private AmqpPeer Client(string? host, ConnectionPlan? plan = null, string? serverName = null)
    {
        AmqpPeer peer = _scene.Node.Connect(plan ?? Plan, serverName);
        peer.Send(
            [.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open
            {
                ContainerId = $"client-{++_clients}",
                Hostname = host,
            })]);
        peer.Next(Open.DescriptorCode);
        peer.Send(FrameBytes.Of(Steps.Begin));
        peer.Next(Begin.DescriptorCode);
        return peer;
    }

    private AmqpPeer Edge()
    {
        AmqpPeer edge = _scene.Node.Connect(new ConnectionPlan(ConnectionRole.Edge, IsInitiator: false));
        edge.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = "E" })]);
        edge.Next(Open.DescriptorCode);
        edge.Send(FrameBytes.Of(Steps.Begin));
        edge.Next(Begin.DescriptorCode);
        return edge;
    }
}
