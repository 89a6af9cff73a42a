using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Client;

/// <summary>Sessions and links of the client: credit, windows, outcomes, batches.</summary>
public sealed class ClientLinkTests : ISenderEvents, IReceiverEvents
{
    private const ushort ServerChannel = 5;
    private readonly List<string> _heard = [];
    private readonly List<byte[]> _messages = [];

    [Fact]
    public void A_sender_sends_no_more_than_its_credit()
    {
        (ScriptedServer server, ClientSender sender) = Sender(credit: 2, window: 100);
        Assert.True(sender.CanSend);
        sender.Send("one"u8, settled: false);
        sender.Send("two"u8, settled: false);
        Assert.False(sender.CanSend);
        Assert.Throws<InvalidOperationException>(() => sender.Send("three"u8, settled: false));
        Assert.Equal([0u, 1u], server.Take().Select(f => f.DeliveryId!.Value));
    }

    [Fact]
    public void Credit_counts_from_what_the_server_had_seen()
    {
        (ScriptedServer server, ClientSender sender) = Sender(credit: 10, window: 100);
        sender.Send("one"u8, settled: false);
        sender.Send("two"u8, settled: false);
        Flow(server, window: 100, nextIncomingId: 0, deliveryCount: 1, credit: 3);
        Assert.Equal(2u, sender.Credit);
    }

    [Fact]
    public void Outcomes_come_in_runs_and_settled_deliveries_are_left_out()
    {
        (ScriptedServer server, ClientSender sender) = Sender(credit: 10, window: 100);
        for (int i = 0; i < 5; i++)
        {
            sender.Send("m"u8, settled: i == 2);
        }
        Assert.Equal(4, sender.Session.UnsettledCount);
        server.Settle(ServerChannel, 0, 4, DeliveryState.Accepted);
        Assert.Equal(["0-1 Accepted", "3-4 Accepted"], _heard);
        Assert.Equal(0, sender.Session.UnsettledCount);
        server.Settle(ServerChannel, 1, 3, DeliveryState.Released);
        Assert.Equal(2, _heard.Count);
    }

    [Fact]
    public void An_outcome_of_what_was_never_sent_is_a_fault_of_the_server()
    {
        (ScriptedServer server, ClientSender sender) = Sender(credit: 10, window: 100);
        sender.Send("m"u8, settled: false);
        Assert.Throws<AmqpException>(() => server.Settle(ServerChannel, 0, 1, DeliveryState.Accepted));
    }

    [Fact]
    public void A_message_larger_than_a_frame_goes_in_parts_as_the_window_opens()
    {
        (ScriptedServer server, ClientSender sender) = Sender(credit: 10, window: 2);
        byte[] message = new byte[3 * ScriptedServer.FrameBytesMax];
        Random.Shared.NextBytes(message);
        sender.Send(message, settled: false);
        List<ScriptedServer.Frame> frames = server.Take();
        Assert.Equal(2, frames.Count);
        Assert.False(sender.CanSend);
        Flow(server, window: 100, nextIncomingId: 2, deliveryCount: 0, credit: 10);
        frames.AddRange(server.Take());
        Assert.All(frames[..^1], f => Assert.True(f.More));
        Assert.False(frames[^1].More);
        Assert.Equal(message, frames.SelectMany(f => f.Payload));
        Assert.True(sender.CanSend);
    }

    [Fact]
    public void A_drained_sender_gives_its_credit_back()
    {
        (ScriptedServer server, ClientSender sender) = Sender(credit: 10, window: 100);
        Flow(server, window: 100, nextIncomingId: 0, deliveryCount: 0, credit: 10, drain: true);
        ScriptedServer.Frame answer = server.Take().Single();
        Assert.Equal(0u, sender.Credit);
        Assert.Equal((10u, 0u), (answer.DeliveryCount!.Value, answer.LinkCredit!.Value));
    }

    [Fact]
    public void A_refused_link_is_detached_with_the_servers_reason()
    {
        ScriptedServer server = Server(out ClientSession session);
        ClientSender sender = session.AttachSender("s", new Target { Address = "a" }, SenderSettleMode.Unsettled, this);
        server.Take();
        server.Send(ServerChannel, new Attach { Name = "s", Handle = 9, Role = Role.Receiver });
        var error = new AmqpError { Condition = AmqpErrorCondition.NotFound, Description = "no such address" };
        server.Send(ServerChannel, new Detach { Handle = 9, Closed = true, Error = error });
        Assert.Equal(LinkState.Detached, sender.State);
        Assert.Equal(error, sender.Error);
        Assert.Equal(Detach.DescriptorCode, server.Take().Single().Code);
    }

    [Fact]
    public void Settlements_of_following_deliveries_go_out_as_one()
    {
        (ScriptedServer server, ClientReceiver receiver) = Receiver(credit: 100);
        for (uint id = 0; id < 4; id++)
        {
            server.Transfer(ServerChannel, 9, id, [(byte)id], more: false);
            receiver.Settle(id, id == 2 ? DeliveryStateKind.Released : DeliveryStateKind.Accepted);
        }
        var ranges = server.Take().Select(f => (f.First!.Value, f.Last ?? f.First!.Value));
        Assert.Equal([(0u, 1u), (2u, 2u), (3u, 3u)], ranges);
    }

    [Fact]
    public void Parts_of_a_message_are_put_together()
    {
        (ScriptedServer server, _) = Receiver(credit: 100);
        server.Transfer(ServerChannel, 9, 0, [1, 2], more: true);
        server.Transfer(ServerChannel, 9, null, [3], more: true);
        Assert.Empty(_messages);
        server.Transfer(ServerChannel, 9, null, [4], more: false);
        server.Transfer(ServerChannel, 9, 1, [5], more: false);
        Assert.Equal([[1, 2, 3, 4], [5]], _messages);
    }

    [Fact]
    public void Credit_is_topped_up_when_half_of_it_is_used()
    {
        (ScriptedServer server, ClientReceiver receiver) = Receiver(credit: 10);
        for (uint id = 0; id < 4; id++)
        {
            server.Transfer(ServerChannel, 9, id, [1], more: false);
        }
        Assert.Empty(server.Take());
        Assert.Equal(6u, receiver.Credit);
        server.Transfer(ServerChannel, 9, 4, [1], more: false);
        ScriptedServer.Frame flow = server.Take().Single();
        Assert.Equal((5u, 10u), (flow.DeliveryCount!.Value, flow.LinkCredit!.Value));
    }

    [Fact]
    public void A_delivery_beyond_the_credit_is_a_fault_of_the_server()
    {
        (ScriptedServer server, ClientReceiver receiver) = Receiver(credit: 10);
        receiver.Grant(0);
        Assert.Throws<AmqpException>(() => server.Transfer(ServerChannel, 9, 0, [1], more: false));
    }

    [Fact]
    public void An_aborted_delivery_has_used_its_credit()
    {
        (ScriptedServer server, ClientReceiver receiver) = Receiver(credit: 10);
        server.Transfer(ServerChannel, 9, 0, [1], more: true);
        server.Transfer(ServerChannel, 9, null, [], more: false, aborted: true);
        Assert.Equal(9u, receiver.Credit);
        server.Transfer(ServerChannel, 9, 1, [2], more: false);
        Assert.Equal(8u, receiver.Credit);
        Assert.Equal([[2]], _messages);
    }

    void ISenderEvents.OnSettled(ClientSender sender, uint first, uint last, in DeliveryOutcome outcome) =>
        _heard.Add($"{first}-{last} {outcome.Kind}");

    void IReceiverEvents.OnMessage(ClientReceiver receiver, in IncomingDelivery delivery) =>
        _messages.Add(delivery.Message.ToArray());

    private static ScriptedServer Server(out ClientSession session, uint window = 100)
    {
        var server = new ScriptedServer();
        ClientConnection client = server.Open(new ClientOptions { ContainerId = "c1" });
        session = client.BeginSession();
        server.Send(ServerChannel, new Begin
        {
            RemoteChannel = 0,
            NextOutgoingId = 0,
            IncomingWindow = window,
            OutgoingWindow = 100,
        });
        Assert.True(session.IsOpen);
        server.Take();
        return server;
    }

    private static void Flow(
        ScriptedServer server, uint window, uint nextIncomingId, uint deliveryCount, uint credit, bool drain = false) =>
        server.Flow(ServerChannel, new Flow
        {
            NextIncomingId = nextIncomingId,
            IncomingWindow = window,
            NextOutgoingId = 0,
            OutgoingWindow = 100,
            Handle = 9,
            DeliveryCount = deliveryCount,
            LinkCredit = credit,
            Drain = drain,
        });

    private (ScriptedServer Server, ClientSender Sender) Sender(uint credit, uint window)
    {
        ScriptedServer server = Server(out ClientSession session, window);
        var target = new Target { Address = "a" };
        ClientSender sender = session.AttachSender("s", target, SenderSettleMode.Unsettled, this);
        server.Send(ServerChannel, new Attach { Name = "s", Handle = 9, Role = Role.Receiver, Target = target });
        Flow(server, window, 0, 0, credit);
        server.Take();
        return (server, sender);
    }

    private (ScriptedServer Server, ClientReceiver Receiver) Receiver(uint credit)
    {
        ScriptedServer server = Server(out ClientSession session);
        var source = new Source { Address = "a" };
        ClientReceiver receiver = session.AttachReceiver("r", source, SenderSettleMode.Unsettled, this);
        server.Send(ServerChannel, new Attach
        {
            Name = "r",
            Handle = 9,
            Role = Role.Sender,
            Source = source,
            InitialDeliveryCount = 0,
        });
        receiver.KeepCredit(credit);
        server.Take();
        return (server, receiver);
    }
}
