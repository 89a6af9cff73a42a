using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>A link between the scene's node, an edge, and its router of the interior.</summary>
/// <param name="Attach">As the node has begun it.</param>
/// <param name="Channel">Its session's channel, both ways.</param>
internal sealed record InteriorLink(Attach Attach, ushort Channel)
{
    public bool IsFromNode => Attach.Role == Role.Sender;

    public string? Address => IsFromNode ? (Attach.Target as Target)?.Address : Attach.Source?.Address;

    public string? Capability =>
        (IsFromNode ? (Attach.Target as Target)?.Capabilities : Attach.Source?.Capabilities)?.SingleOrDefault();
}

/// <summary>
/// A router of the interior, written frame by frame, which the scene's node, an edge, has connected to. It agrees to
/// every session and every link; credit it gives only for what has no address of a client.
/// </summary>
internal sealed class InteriorPeer
{
    /// <summary>Where the node's questions are answered.</summary>
    public const string ReplyAddress = "amqp:/_topo/0/I/temp.1";

    private static readonly string?[] Services = [null, "_$qd.addr_lookup", "$management", "_$qd.edge_addr_tracking"];

    private readonly AmqpPeer _peer;
    private readonly List<InteriorLink> _links = [];
    private readonly List<ReceivedFrame> _frames = [];
    private uint _sent;

    /// <param name="scene">The node.</param>
    /// <param name="channelMax">The highest channel that sessions may have.</param>
    public InteriorPeer(RoutedScene scene, ushort channelMax = ushort.MaxValue)
    {
        _peer = scene.Node.Connect(new ConnectionPlan(ConnectionRole.Edge, IsInitiator: true) { Name = "up" });
        _peer.Next(Open.DescriptorCode);
        _peer.Send(FrameBytes.Of(new Open { ContainerId = "I", ChannelMax = channelMax }));
        Act();
    }

    /// <summary>Links for addresses of clients, or of the edge's broker: those that are there now.</summary>
    public IReadOnlyList<InteriorLink> Places
    {
        get
        {
            Act();
            return
            [
                .. _links.Where(link => !Services.Contains(link.Address) && link.Address != "E"
                    && link.Attach.Source is not { Dynamic: true }),
            ];
        }
    }

    /// <summary>The link for an address in a direction.</summary>
    public InteriorLink Link(string? address, bool isFromNode)
    {
        Act();
        return Assert.Single(_links, link => link.IsFromNode == isFromNode && link.Address == address
            && link.Attach.Source is not { Dynamic: true });
    }

    /// <summary>The link by which the node's questions are answered.</summary>
    public InteriorLink Replies
    {
        get
        {
            Act();
            return Assert.Single(_links, link => link.Attach.Source is { Dynamic: true });
        }
    }

    /// <summary>Gives credit on a link by which the node sends.</summary>
    public void Credit(InteriorLink link, uint credit) => _peer.Send(FrameBytes.Of(
        new Flow
        {
            NextIncomingId = 0,
            IncomingWindow = 10_000,
            NextOutgoingId = 0,
            OutgoingWindow = 10_000,
            Handle = link.Attach.Handle,
            DeliveryCount = 0,
            LinkCredit = credit,
        },
        link.Channel));

    /// <summary>The next message that the node has sent by a link, and its delivery-id; null: there is none.</summary>
    public (uint Id, byte[] Message)? Take(InteriorLink link)
    {
        Act();
        for (int i = 0; i < _frames.Count; i++)
        {
            ReceivedFrame frame = _frames[i];
            if (frame.Descriptor == Transfer.DescriptorCode && frame.Header.Channel == link.Channel)
            {
                Transfer transfer = frame.AsTransfer(out byte[] message);
                if (transfer.Handle == link.Attach.Handle)
                {
                    _frames.RemoveAt(i);
                    return (transfer.DeliveryId!.Value, message);
                }
            }
        }

        return null;
    }

    /// <summary>All that the node has sent and nobody has taken, in its order.</summary>
    public IReadOnlyList<(InteriorLink Link, byte[] Message)> TakeAll()
    {
        Act();
        List<(InteriorLink, byte[])> taken = [];
        foreach (ReceivedFrame frame in _frames.Where(frame => frame.Descriptor == Transfer.DescriptorCode))
        {
            uint handle = frame.AsTransfer(out byte[] message).Handle;
            taken.Add((_links.Find(
                link => link.Channel == frame.Header.Channel && link.Attach.Handle == handle)!, message));
        }

        _frames.RemoveAll(frame => frame.Descriptor == Transfer.DescriptorCode);
        return taken;
    }

    /// <summary>Answers the node's question for an address.</summary>
    public void Reply(
        string address, bool toSend, bool isLinkRoute, bool hasDestinations, AmqpValue? broker = null)
    {
        AmqpMessage question = AmqpMessage.Read(Take(Link("_$qd.addr_lookup", isFromNode: true))!.Value.Message);
        Assert.Equal([(AmqpValue)address, AmqpValue.Boolean(toSend)], question.Value.AsList());
        Answer(question, 0, broker is { } said
            ? AmqpValue.List(isLinkRoute, hasDestinations, said)
            : AmqpValue.List(isLinkRoute, hasDestinations));
    }

    /// <summary>Answers a request of the node.</summary>
    public void Answer(AmqpMessage question, int status, AmqpValue body)
    {
        Assert.Equal(ReplyAddress, question.Properties!.ReplyTo);
        var properties = new AmqpMap();
        properties.Add("status", (uint)status);
        properties.Add("statusCode", status);
        Send(Replies, new AmqpMessage
        {
            Properties = new MessageProperties { CorrelationId = question.Properties.CorrelationId },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = body,
        }.ToArray());
    }

    /// <summary>Sends the node a message; gives its delivery-id.</summary>
    public uint Send(InteriorLink link, byte[] message, bool settled = true)
    {
        uint id = _sent++;
        _peer.Send(FrameBytes.Of(Steps.TransferOf(link.Attach.Handle, id, settled), message, link.Channel));
        return id;
    }

    /// <summary>Accepts what the node has sent.</summary>
    public void Accept(InteriorLink link, uint id) => _peer.Send(FrameBytes.Of(
        new Disposition
        {
            Role = Role.Receiver,
            First = id,
            Settled = true,
            State = [0x00, 0x53, 0x24, 0x45],
        },
        link.Channel));

    /// <summary>Whether the node has settled what was sent to it, as accepted.</summary>
    public bool IsAccepted(InteriorLink link, uint id)
    {
        Act();
        return _frames.Exists(frame => frame.Descriptor == Disposition.DescriptorCode
            && frame.Header.Channel == link.Channel && frame.AsDisposition() is { Settled: true } said
            && said.First <= id && id <= (said.Last ?? said.First)
            && DeliveryState.KindOf(said.State) == DeliveryStateKind.Accepted);
    }

    /// <summary>The connection is lost.</summary>
    public void Cut() => _peer.Cut();

    /// <summary>Answers what the node asks for.</summary>
    private void Act()
    {
        while (_peer.Frames.Count > 0)
        {
            ReceivedFrame frame = _peer.Next();
            ushort channel = frame.Header.Channel;
            switch (frame.Descriptor)
            {
                case Begin.DescriptorCode:
                    _peer.Send(FrameBytes.Of(
                        new Begin
                        {
                            RemoteChannel = channel,
                            NextOutgoingId = 0,
                            IncomingWindow = 10_000,
                            OutgoingWindow = 10_000,
                        },
                        channel));
                    break;
                case Attach.DescriptorCode:
                    Answer(new InteriorLink(frame.AsAttach(), channel));
                    break;
                case Detach.DescriptorCode:
                    uint handle = frame.AsDetach().Handle;
                    _links.RemoveAll(link => link.Channel == channel && link.Attach.Handle == handle);
                    _peer.Send(FrameBytes.Of(new Detach { Handle = handle, Closed = true }, channel));
                    break;
                default:
                    _frames.Add(frame);
                    break;
            }
        }
    }

    private void Answer(InteriorLink link)
    {
        _links.Add(link);
        Attach answer = link.Attach with
        {
            Role = link.IsFromNode ? Role.Receiver : Role.Sender,
            InitialDeliveryCount = link.IsFromNode ? null : 0,
        };
        if (answer.Source is { Dynamic: true } source)
        {
            answer = answer with { Source = source with { Address = ReplyAddress } };
        }

        _peer.Send(FrameBytes.Of(answer, link.Channel));
        if (link.IsFromNode && Services.Contains(link.Address))
        {
            Credit(link, 100);
        }
    }
}
