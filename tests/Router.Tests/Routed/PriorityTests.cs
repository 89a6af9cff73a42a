using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Which of the links to another router a message goes by.</summary>
public sealed class PriorityTests : IDisposable
{
    private const int Link = 1;

    private readonly RoutedScene _scene = new(new AddressRule { Pattern = "fast", Priority = 9 });
    private readonly RouterEngine _engine = new(new RouterOptions { Id = "B", Instance = 1 });
    private readonly RouterOutput _output = new();
    private uint _sent;

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("fast", 2, 9)]
    [InlineData("fast", null, 9)]
    [InlineData("usual", 2, 2)]
    [InlineData("usual", null, 4)]
    public void The_priority_of_the_address_comes_before_that_of_the_message(
        string address, int? priority, int expected)
    {
        AmqpPeer router = Join(address);
        AmqpPeer sender = _scene.Sender(address);
        sender.Transfer(0, 0, MessageOf(priority));
        ReceivedFrame frame = router.Next();
        while (frame.Descriptor != Transfer.DescriptorCode || frame.Header.Channel == 0)
        {
            frame = router.Next();
        }

        Assert.Equal(expected, frame.Header.Channel - 1);
        RouterView view = _scene.Network.View();
        Assert.Equal(1, view.Addresses.Single(a => a.Key == "M0" + address).Transit);
        Assert.Equal((1, 0, 1), (view.Deliveries.Ingress, view.Deliveries.Egress, view.Deliveries.Transit));
        Assert.Equal(2, view.Links.Count(link => link.Type == "router-control"));
        Assert.Equal(10, view.Links.Count(link => link is { Type: "inter-router", Direction: "out" }));
    }

    // Another router, with a control link and a link for each priority, that has an address.
    private AmqpPeer Join(string address)
    {
        AmqpPeer peer = _scene.Node.Connect(new ConnectionPlan(ConnectionRole.InterRouter, IsInitiator: false));
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = "B" })]);
        peer.Send(FrameBytes.Of(Steps.Begin));
        peer.Send(FrameBytes.Of(AttachOf("control-out", 0, Role.Sender, "qd.router")));
        peer.Send(FrameBytes.Of(AttachOf("control-in", 1, Role.Receiver, "qd.router")));
        peer.Send(FrameBytes.Of(CreditOf(1)));
        for (ushort channel = 1; channel <= 10; channel++)
        {
            peer.Send(FrameBytes.Of(Steps.Begin, channel));
            peer.Send(FrameBytes.Of(AttachOf($"data-{channel}", 0, Role.Receiver, "qd.router-data"), channel));
            peer.Send(FrameBytes.Of(CreditOf(0), channel));
        }

        _engine.OnLinkUp(0, Link, 1);
        _engine.AddLocal(0, "M0" + address, AddressTreatment.Balanced);
        for (int round = 0; round < 40; round++)
        {
            Exchange(peer, nowMs: round * 250);
        }

        Assert.Contains(_scene.Network.View().Addresses, a => a.Key == "M0" + address && a.RemoteRouters.Contains("B"));
        return peer;
    }

    private void Exchange(AmqpPeer peer, long nowMs)
    {
        _engine.Tick(nowMs);
        _engine.Drain(_output);
        foreach (ControlSend send in _output.Sends)
        {
            peer.Send(FrameBytes.Of(Steps.TransferOf(0, _sent++, settled: true), send.Message.Span));
        }

        while (peer.Frames.Count > 0)
        {
            ReceivedFrame frame = peer.Next();
            if (frame.Descriptor == Transfer.DescriptorCode)
            {
                frame.AsTransfer(out byte[] message);
                _engine.OnControl(nowMs, Link, message);
            }
        }

        _scene.Node.Clock.Advance(250);
        _scene.Node.Settle();
    }

    private static Attach AttachOf(string name, uint handle, Role role, string capability) => new()
    {
        Name = name,
        Handle = handle,
        Role = role,
        Source = new Source { Capabilities = [capability] },
        Target = new Target { Capabilities = [capability] },
        InitialDeliveryCount = role == Role.Sender ? 0 : null,
    };

    private static Flow CreditOf(uint handle) => new()
    {
        NextIncomingId = 0,
        IncomingWindow = 1000,
        NextOutgoingId = 0,
        OutgoingWindow = 1000,
        Handle = handle,
        DeliveryCount = 0,
        LinkCredit = 200,
    };

    private static byte[] MessageOf(int? priority) => priority is { } level
        ? [0x00, 0x53, 0x70, 0xc0, 0x04, 0x02, 0x40, 0x50, (byte)level, .. Steps.Message("m", durable: false)]
        : Steps.Message("m", durable: false);
}
