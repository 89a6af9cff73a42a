using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>A broker written frame by frame, on a connection of the role route-container.</summary>
internal sealed class ContainerPeer
{
    private readonly AmqpPeer _peer;

    public ContainerPeer(
        RoutedScene scene, string id = "broker-1", string connection = "to-broker", ushort channelMax = ushort.MaxValue)
    {
        _peer = scene.Node.Connect(
            new ConnectionPlan(ConnectionRole.RouteContainer, IsInitiator: false) { Name = connection });
        _peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = id, ChannelMax = channelMax })]);
        _peer.Next(Open.DescriptorCode);
    }

    /// <summary>The connection.</summary>
    public AmqpPeer Peer => _peer;

    /// <summary>Answers the session that the node begins, on the same channel; gives the channel.</summary>
    public ushort TakeSession()
    {
        ReceivedFrame begin = _peer.Next(Begin.DescriptorCode);
        ushort channel = begin.Header.Channel;
        _peer.Send(FrameBytes.Of(
            new Begin
            {
                RemoteChannel = channel,
                NextOutgoingId = 0,
                IncomingWindow = 1000,
                OutgoingWindow = 1000,
            },
            channel));
        return channel;
    }

    /// <summary>The attach that the node has begun.</summary>
    public Attach TakeAttach() => _peer.Next(Attach.DescriptorCode).AsAttach();

    /// <summary>Agrees to it, on the handle of the same number.</summary>
    public void Answer(Attach attach, ushort channel, uint initialDeliveryCount = 0) =>
        _peer.Send(FrameBytes.Of(AnswerTo(attach, initialDeliveryCount), channel));

    /// <summary>Agrees to nothing, and detaches.</summary>
    public void Refuse(Attach attach, ushort channel, string condition)
    {
        Attach answer = AnswerTo(attach, 0);
        answer = answer.Role == Role.Sender ? answer with { Source = null } : answer with { Target = null };
        _peer.Send(
        [
            .. FrameBytes.Of(answer, channel),
            .. FrameBytes.Of(
                new Detach
                {
                    Handle = attach.Handle,
                    Closed = true,
                    Error = new AmqpError { Condition = condition, Description = "not here" },
                },
                channel),
        ]);
        _peer.Next(Detach.DescriptorCode);
    }

    /// <summary>Gives credit on a link.</summary>
    public void Credit(uint handle, uint credit, ushort channel, uint deliveryCount = 0, bool drain = false) =>
        _peer.Send(FrameBytes.Of(
            new Flow
            {
                NextIncomingId = 0,
                IncomingWindow = 1000,
                NextOutgoingId = 0,
                OutgoingWindow = 1000,
                Handle = handle,
                DeliveryCount = deliveryCount,
                LinkCredit = credit,
                Drain = drain,
            },
            channel));

    private static Attach AnswerTo(Attach attach, uint initialDeliveryCount)
    {
        bool sends = attach.Role == Role.Receiver;
        return attach with
        {
            Role = sends ? Role.Sender : Role.Receiver,
            InitialDeliveryCount = sends ? initialDeliveryCount : null,
        };
    }
}
