using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Edges;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>What a router of the interior does for routers at the edge, frame by frame as those of others
/// ask.</summary>
public sealed class EdgeServicesTests : IDisposable
{
    private readonly RoutedScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void An_edge_hears_when_the_address_of_one_of_its_senders_is_wanted()
    {
        AmqpPeer edge = Edge();
        edge.AttachReceiver(0, "_$qd.edge_addr_tracking");
        edge.Credit(0, 32);
        edge.Send(FrameBytes.Of(Steps.SenderAttach(1, "news")));
        edge.Next(Attach.DescriptorCode);
        Assert.Empty(edge.Frames);

        AmqpPeer receiver = _scene.Receiver("news");
        Assert.Equal(("M0news", true), Tracked(edge));

        receiver.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        Assert.Equal(("M0news", false), Tracked(edge));
    }

    // Seen with qdrouterd: its next sender's link was never used.
    [Fact]
    public void An_edge_that_begins_its_link_anew_hears_it_anew()
    {
        AmqpPeer edge = Edge();
        edge.AttachReceiver(0, "_$qd.edge_addr_tracking");
        edge.Credit(0, 32);
        _scene.Receiver("news");
        for (int i = 0; i < 2; i++)
        {
            edge.Send(FrameBytes.Of(Steps.SenderAttach(1, "news")));
            edge.Next(Attach.DescriptorCode);
            Assert.Equal(("M0news", true), Tracked(edge));
            edge.Send(FrameBytes.Of(new Detach { Handle = 1, Closed = true }));
            edge.TakeAll();
        }
    }

    [Fact]
    public void What_an_edge_itself_wants_is_no_news_for_it()
    {
        AmqpPeer edge = Edge();
        edge.AttachReceiver(0, "_$qd.edge_addr_tracking");
        edge.Credit(0, 32);
        edge.Send(FrameBytes.Of(Steps.SenderAttach(1, "news")));
        edge.Next(Attach.DescriptorCode);
        edge.AttachReceiver(2, "news");
        Assert.DoesNotContain(edge.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);
    }

    // Who sends to everybody there waits for that word; other routers' edges do not.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_edge_like_this_node_hears_that_nobody_wants_what_it_sends(bool isAlike)
    {
        AmqpPeer edge = Edge(isAlike);
        edge.AttachReceiver(0, "_$qd.edge_addr_tracking");
        edge.Credit(0, 32);
        edge.Send(FrameBytes.Of(Steps.SenderAttach(1, "news")));
        edge.Next(Attach.DescriptorCode);
        if (isAlike)
        {
            Assert.Equal(("M0news", false), Tracked(edge));
        }

        Assert.DoesNotContain(edge.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);
        _scene.Receiver("news");
        Assert.Equal(("M0news", true), Tracked(edge));
    }

    [Fact]
    public void Heartbeats_and_questions_get_credit()
    {
        AmqpPeer edge = Edge();
        foreach ((uint handle, string address) in (ReadOnlySpan<(uint, string)>)
            [(0, "_$qd.edge_heartbeat"), (1, "_$qd.addr_lookup")])
        {
            Assert.True(edge.AttachSender(handle, address) > 0, address);
        }
    }

    [Theory]
    [InlineData("wanted", true)]
    [InlineData("other", false)]
    public void A_question_for_an_address_is_answered(string address, bool hasDestinations)
    {
        ServiceMessage answer = EdgeServices.AnswerLookup(
            Question(address), name => name == "wanted", (_, _) => null, _ => null)!.Value;
        Assert.Equal("amqp:/_edge/E/temp.1", answer.To);
        AmqpMessage reply = AmqpMessage.Read(answer.Bytes);
        Assert.Equal(7ul, reply.Properties!.CorrelationId!.Value.AsULong());
        Assert.True(reply.ApplicationProperties!.TryGet("status", out AmqpValue status));
        Assert.True(status.TryGetInt64(out long code));
        Assert.Equal(0, code);
        Assert.Equal(
            [AmqpValue.Boolean(false), AmqpValue.Boolean(hasDestinations), AmqpValue.Null], reply.Value.AsList());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_question_for_an_address_whose_links_go_through_says_so(bool hasContainer)
    {
        ServiceMessage answer = EdgeServices.AnswerLookup(
            Question("queue"), _ => false, (_, toSend) => toSend ? hasContainer : null, _ => "queue")!.Value;
        Assert.Equal(
            [AmqpValue.Boolean(true), AmqpValue.Boolean(hasContainer), (AmqpValue)"queue"],
            AmqpMessage.Read(answer.Bytes).Value.AsList());
    }

    [Fact]
    public void What_is_no_question_is_not_answered_or_called_bad()
    {
        Assert.Null(EdgeServices.AnswerLookup([1, 2, 3], _ => true, (_, _) => null, _ => null));
        Assert.Null(EdgeServices.AnswerLookup(
            AmqpMessage.FromValue("x").ToArray(), _ => true, (_, _) => null, _ => null));
        var random = new SeededRandom(13);
        byte[] question = Question("wanted");
        for (int i = 0; i < 20_000; i++)
        {
            byte[] broken = [.. question];
            broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            EdgeServices.AnswerLookup(broken, _ => true, (_, _) => null, _ => null);
        }
    }

    private static byte[] Question(string address)
    {
        var properties = new AmqpMap();
        properties.Add("version", 1u);
        properties.Add("opcode", 1u);
        return new AmqpMessage
        {
            Properties = new MessageProperties { ReplyTo = "amqp:/_edge/E/temp.1", CorrelationId = 7ul },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = AmqpValue.List(address, true),
        }.ToArray();
    }

    private static (string? Key, bool Any) Tracked(AmqpPeer edge)
    {
        ReceivedFrame frame = edge.Next();
        while (frame.Descriptor == Flow.DescriptorCode)
        {
            frame = edge.Next();
        }

        frame.AsTransfer(out byte[] message);
        IReadOnlyList<AmqpValue> told = AmqpMessage.Read(message).Value.AsList();
        return (told[0].AsText(), told[1].AsBoolean() == true);
    }

    private AmqpPeer Edge(bool isAlike = false)
    {
        var properties = new AmqpMap();
        properties.AddSymbol("product", isAlike ? "pillarbox" : "other");
        AmqpPeer edge = _scene.Node.Connect(new ConnectionPlan(ConnectionRole.Edge, IsInitiator: false));
        edge.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open
        {
            ContainerId = "E",
            Properties = properties,
        })]);
        edge.Next(Open.DescriptorCode);
        edge.Send(FrameBytes.Of(Steps.Begin));
        edge.Next(Begin.DescriptorCode);
        return edge;
    }
}
