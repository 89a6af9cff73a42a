using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Queues and topics of an edge's broker, as a router of the interior brings them to everybody; the edge is
/// written frame by frame.</summary>
public sealed class EdgeBrokerTests : IDisposable
{
    private const uint Door = 0;
    private const uint Into = 1;
    private const uint OutOf = 2;

    private static readonly byte[] Accepted = [0x00, 0x53, 0x24, 0x45];

    private readonly RoutedScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_draws_gets_what_the_queue_gives_and_not_what_is_sent_to_it(bool isThereBefore)
    {
        AmqpPeer? early = isThereBefore ? _scene.Receiver("orders") : null;
        AmqpPeer edge = EdgeWith("_$broker.queue/orders", "orders");
        AmqpPeer receiver = early ?? _scene.Receiver("orders");
        AmqpPeer sender = _scene.Client();
        Assert.True(sender.AttachSender(0, "orders") > 0);
        sender.Transfer(0, 0, Steps.Message("in"));
        Assert.Equal("in", Got(edge));
        Assert.DoesNotContain(receiver.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);

        edge.Transfer(OutOf, 0, Steps.Message("out"));
        Assert.Equal("out", Got(receiver));
    }

    [Fact]
    public void Everybody_gets_what_a_topic_gives()
    {
        AmqpPeer[] receivers = [_scene.Receiver("news"), _scene.Receiver("news")];
        AmqpPeer edge = EdgeWith("_$broker.topic/news", "news");
        edge.Transfer(OutOf, 0, Steps.Message("out"));
        Assert.All(receivers, receiver => Assert.Equal("out", Got(receiver)));
    }

    [Fact]
    public void Another_edge_draws_by_a_plain_link()
    {
        AmqpPeer other = Edge("F");
        other.AttachReceiver(0, "orders");
        other.Credit(0, 10);
        AmqpPeer edge = EdgeWith("_$broker.queue/orders", "orders");
        edge.Transfer(OutOf, 0, Steps.Message("out"));
        Assert.Equal("out", Got(other));
    }

    [Fact]
    public void A_queue_of_the_same_name_in_the_interior_stays_another()
    {
        AmqpPeer maker = _scene.Client();
        maker.AttachSender(0, "queue://orders");
        _scene.Node.Advance(1000);
        AmqpPeer edge = EdgeWith("_$broker.queue/orders", "orders");
        maker.Transfer(0, 0, Steps.Message("here"));
        Assert.DoesNotContain(edge.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);

        AmqpPeer other = Edge("F");
        other.AttachReceiver(0, "orders");
        other.Credit(0, 10);
        edge.Transfer(OutOf, 0, Steps.Message("there"));
        Assert.Equal(["here", "there"], ((string[])[Got(other), Got(other)]).Order());
    }

    [Fact]
    public void Without_the_edge_the_address_is_a_common_one_again()
    {
        AmqpPeer receiver = _scene.Receiver("orders");
        AmqpPeer edge = EdgeWith("_$broker.queue/orders", "orders");
        edge.Cut();
        AmqpPeer sender = _scene.Client();
        Assert.True(sender.AttachSender(0, "orders") > 0);
        sender.Transfer(0, 0, Steps.Message("direct"));
        Assert.Equal("direct", Got(receiver));
    }

    [Fact]
    public void Another_edge_hears_of_a_broker_for_an_address_that_it_uses()
    {
        AmqpPeer other = Edge("F", isAlike: true);
        other.AttachReceiver(0, "_$qd.edge_addr_tracking");
        other.Credit(0, 32);
        other.AttachReceiver(1, "orders");
        AmqpPeer edge = EdgeWith("_$broker.queue/orders", "orders");
        Assert.Equal(("M0_$broker.queue/orders", true), Tracked(other));
        edge.Cut();
        Assert.Equal(("M0_$broker.queue/orders", false), Tracked(other));

        // Without a link for it it hears nothing.
        other.Send(FrameBytes.Of(new Detach { Handle = 1, Closed = true }));
        other.TakeAll();
        EdgeWith("_$broker.queue/orders", "orders");
        Assert.DoesNotContain(other.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);
    }

    [Fact]
    public void Clients_cannot_stand_for_a_broker()
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "_$broker.queue/orders" })));
        client.Next(Attach.DescriptorCode);
        Assert.Equal("amqp:unauthorized-access", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
    }

    [Fact]
    public void Credit_that_a_client_drains_comes_back_behind_what_is_still_to_come()
    {
        AmqpPeer edge = EdgeWith("_$broker.queue/orders", "orders");
        AmqpPeer client = _scene.Receiver("orders", credit: 0);
        client.Credit(0, 5, drain: true);
        Assert.Empty(client.Frames);

        // The edge is asked at its door, gives what it has, and says behind it that this was all.
        byte[] question = Taken(edge, out uint id);
        (string? opcode, string? replyTo, string? router) = DrainSteps.Read(question);
        Assert.Equal(("DRAIN", "A"), (opcode, router));
        edge.Transfer(OutOf, 0, Steps.Message("rest"));
        Assert.Equal("rest", Got(client));
        edge.Send(FrameBytes.Of(Steps.SenderAttach(9, replyTo)));
        edge.Transfer(9, 1, DrainSteps.Answer());
        Assert.DoesNotContain(client.Frames, frame => frame.Descriptor == Flow.DescriptorCode);

        edge.Send(FrameBytes.Of(
            new Disposition { Role = Role.Receiver, First = id, Settled = true, State = Accepted }));
        Flow flow = client.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((5u, 0u, true), (flow.DeliveryCount, flow.LinkCredit, flow.Drain));
    }

    [Fact]
    public void A_broker_that_does_not_answer_is_waited_for_ten_seconds()
    {
        EdgeWith("_$broker.queue/orders", "orders");
        AmqpPeer client = _scene.Receiver("orders", credit: 0);
        client.Credit(0, 5, drain: true);
        _scene.Node.Advance(9_000);
        Assert.DoesNotContain(client.Frames, frame => frame.Descriptor == Flow.DescriptorCode);
        _scene.Node.Advance(2_000);
        Assert.Contains(client.Frames, frame => frame.Descriptor == Flow.DescriptorCode);
    }

    [Fact]
    public void Credit_for_an_address_of_no_broker_comes_back_at_once()
    {
        AmqpPeer client = _scene.Receiver("common", credit: 0);
        client.Credit(0, 5, drain: true);
        Assert.Equal(5u, client.Next(Flow.DescriptorCode).AsFlow().DeliveryCount);
    }

    private static string Got(AmqpPeer peer) => Steps.BodyOf(Taken(peer, out _));

    // The next message that a peer gets, by whatever link.
    private static byte[] Taken(AmqpPeer peer, out uint id)
    {
        ReceivedFrame frame = peer.Next();
        while (frame.Descriptor != Transfer.DescriptorCode)
        {
            frame = peer.Next();
        }

        id = frame.AsTransfer(out byte[] message).DeliveryId!.Value;
        return message;
    }

    // An edge whose broker has an address.
    private AmqpPeer EdgeWith(string mark, string address)
    {
        string[] waypoint = ["qd.waypoint.1"];
        AmqpPeer edge = Edge("E");
        edge.AttachReceiver(Door, mark);
        edge.Credit(Door, 10);
        var source = new Source { Address = address, Capabilities = waypoint };
        edge.Send(FrameBytes.Of(Steps.ReceiverAttach(Into, source)));
        edge.Next(Attach.DescriptorCode);
        edge.Credit(Into, 10);
        edge.Send(FrameBytes.Of(Steps.SenderAttach(OutOf, address) with
        {
            Target = new Target { Address = address, Capabilities = waypoint },
        }));
        edge.Next(Attach.DescriptorCode);
        return edge;
    }

    private static (string? Key, bool IsThere) Tracked(AmqpPeer edge)
    {
        IReadOnlyList<AmqpValue> told = AmqpMessage.Read(Taken(edge, out _)).Value.AsList();
        return (told[0].AsText(), told[1].AsBoolean());
    }

    private AmqpPeer Edge(string id, bool isAlike = false)
    {
        AmqpPeer edge = _scene.Node.Connect(new ConnectionPlan(ConnectionRole.Edge, IsInitiator: false));
        var properties = new AmqpMap();
        properties.AddSymbol("product", isAlike ? "pillarbox" : "other");
        edge.Send(
            [.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = id, Properties = properties })]);
        edge.Next(Open.DescriptorCode);
        edge.Send(FrameBytes.Of(Steps.Begin));
        edge.Next(Begin.DescriptorCode);
        return edge;
    }
}
