using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>What an edge's clients send to everybody reaches those at the edge and, from the first message on, all
/// others.</summary>
public sealed class EdgeMulticastTests : IDisposable
{
    private readonly RoutedScene _scene = new(
        RouterMode.Edge, security: null,
        new AddressRule { Pattern = "all.#", Treatment = AddressTreatment.Multicast });

    private readonly InteriorPeer _interior;

    public EdgeMulticastTests() => _interior = new InteriorPeer(_scene);

    public void Dispose() => _scene.Dispose();

    // Seen with qdrouterd: its credit for the edge's link comes after the client's first messages.
    [Fact]
    public void Who_sends_waits_until_the_interior_takes_it()
    {
        AmqpPeer receiver = Receiver();
        AmqpPeer sender = Sender();
        Assert.Empty(sender.Frames);
        InteriorLink link = _interior.Link("all.news", isFromNode: true);
        _interior.Credit(link, 10);
        Assert.True(sender.Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
        sender.Transfer(0, 0, Steps.Message("first"));
        Assert.Equal("first", Steps.BodyOf(_interior.Take(link)!.Value.Message));
        Assert.Contains(receiver.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);
    }

    [Fact]
    public void The_next_sender_waits_too_when_the_last_one_has_gone()
    {
        Receiver();
        AmqpPeer sender = Sender();
        _interior.Credit(_interior.Link("all.news", isFromNode: true), 10);
        sender.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        AmqpPeer next = Sender();
        Assert.Empty(next.Frames);
        InteriorLink link = _interior.Link("all.news", isFromNode: true);
        _interior.Credit(link, 10);
        Assert.True(next.Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
        next.Transfer(0, 0, Steps.Message("first"));
        Assert.Equal("first", Steps.BodyOf(_interior.Take(link)!.Value.Message));
    }

    [Fact]
    public void A_second_sender_does_not_wait()
    {
        Receiver();
        Sender();
        _interior.Credit(_interior.Link("all.news", isFromNode: true), 10);
        Assert.True(Sender().Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
    }

    // A router of others says nothing when it has nobody.
    [Fact]
    public void A_silent_interior_is_waited_for_half_a_second()
    {
        Receiver();
        AmqpPeer sender = Sender();
        _scene.Node.Advance(400);
        Assert.Empty(sender.Frames);
        _scene.Node.Advance(200);
        Assert.True(sender.Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
    }

    [Fact]
    public void Word_that_nobody_else_wants_it_is_enough()
    {
        Receiver();
        AmqpPeer sender = Sender();
        _interior.Send(
            _interior.Link("_$qd.edge_addr_tracking", isFromNode: false),
            AmqpMessage.FromValue(AmqpValue.List("M0all.news", false)).ToArray());
        Assert.True(sender.Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
    }

    [Fact]
    public void A_lost_interior_keeps_nobody_waiting()
    {
        Receiver();
        AmqpPeer sender = Sender();
        _interior.Cut();
        Assert.True(sender.Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
    }

    [Fact]
    public void What_names_its_address_itself_reaches_those_here_and_others()
    {
        AmqpPeer receiver = Receiver();
        AmqpPeer sender = _scene.Sender(null);
        sender.Transfer(0, 0, new AmqpMessage
        {
            Properties = new MessageProperties { To = "all.news" },
            BodyKind = BodyKind.Value,
            Value = "to all",
        }.ToArray());
        byte[] message = _interior.Take(_interior.Link(null, isFromNode: true))!.Value.Message;
        Assert.Equal("all.news", AmqpMessage.Read(message).Properties!.To);
        Assert.Single(receiver.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);
    }

    private AmqpPeer Receiver()
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "all.news" })));
        _interior.Reply("all.news", toSend: false, isLinkRoute: false, hasDestinations: false);
        client.Next(Attach.DescriptorCode);
        return client.Credit(0, 100);
    }

    private AmqpPeer Sender()
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "all.news")));
        _interior.Reply("all.news", toSend: true, isLinkRoute: false, hasDestinations: true);
        client.Next(Attach.DescriptorCode);
        return client;
    }
}
