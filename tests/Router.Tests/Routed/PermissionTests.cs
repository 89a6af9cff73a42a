using Pillarbox.Broker.Security;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Addresses of the network have permissions like those of the broker.</summary>
public sealed class PermissionTests : IDisposable
{
    private readonly RoutedScene _scene = new(new SecurityConfig
    {
        Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["open.#"] = new Dictionary<string, Permission>
            {
                ["anonymous"] = Permission.Send | Permission.Consume,
            },
        },
    });

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Link_to_an_address_without_permission_is_refused()
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "closed")));
        Assert.Equal("attach detach(amqp:unauthorized-access)", client.TakeAll());
        client.Send(FrameBytes.Of(Steps.ReceiverAttach(1, new Source { Address = "closed" })));
        Assert.Equal("attach detach(amqp:unauthorized-access)", client.TakeAll());
        client.Send(FrameBytes.Of(Steps.SenderAttach(2, "open.x")));
        Assert.Equal("attach", client.TakeAll());
    }

    [Fact]
    public void Message_of_an_anonymous_sender_is_rejected_by_itself()
    {
        AmqpPeer receiver = _scene.Receiver("open.x");
        AmqpPeer sender = _scene.Sender(address: null);
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, MessageTo("closed"));

        byte[] state = sender.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray();
        Assert.Equal("amqp:unauthorized-access", DeliveryState.ReadRejected(state).Error!.Condition);
        sender.TakeAll();
        sender.Transfer(0, 1, MessageTo("open.x"));
        receiver.Next(Transfer.DescriptorCode);
    }

    // The group's place is another's: who may read the stream may not move it.
    [Theory]
    [InlineData("closed", false)]
    [InlineData("open.group", true)]
    public void Group_of_another_nodes_stream_needs_permission(string group, bool isAllowed)
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.ReceiverAttach(
            0, new Source { Address = $"open.stream/ConsumerGroups/{group}/Partitions/0" })));
        bool isRefused = client.TakeAll() == "attach detach(amqp:unauthorized-access)";
        Assert.Equal(!isAllowed, isRefused);
    }

    [Fact]
    public void Only_who_may_do_everything_can_be_another_router()
    {
        AmqpPeer peer = _scene.Node.Connect(new ConnectionPlan(ConnectionRole.InterRouter, IsInitiator: false));
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)]);

        Assert.Equal("open close(amqp:unauthorized-access)", peer.TakeAll());
    }

    private static byte[] MessageTo(string address) => new AmqpMessage
    {
        Properties = new MessageProperties { To = address },
        BodyKind = BodyKind.Value,
        Value = 1,
    }.ToArray();
}
