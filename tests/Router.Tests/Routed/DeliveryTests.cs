using System.Collections.Immutable;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Messages from a client's link to another's, without a queue in between.</summary>
public sealed class DeliveryTests : IDisposable
{
    private readonly RoutedScene _scene = new(
        new AddressRule { Pattern = "all.#", Treatment = AddressTreatment.Multicast },
        new AddressRule { Pattern = "closed", Treatment = AddressTreatment.Unavailable });

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Sender_gets_credit_when_somebody_wants_its_messages()
    {
        AmqpPeer sender = _scene.Sender("news");
        Assert.Empty(sender.Frames);

        _scene.Receiver("news", credit: 0);

        Assert.Equal(250u, sender.Next(Flow.DescriptorCode).AsFlow().LinkCredit);
    }

    [Fact]
    public void Receivers_outcome_is_the_senders()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Next(Flow.DescriptorCode);
        byte[] message = Steps.Message("hello");
        sender.Transfer(0, 0, message);

        Transfer transfer = receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);
        Assert.Equal(message, got);
        Assert.NotEqual(true, transfer.Settled);
        Assert.Empty(sender.Frames);
        receiver.Send(Settle(0, DeliveryState.Accepted));

        Disposition disposition = sender.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.True(disposition.Settled);
        Assert.Equal(DeliveryState.Accepted.ToArray(), disposition.State.ToArray());
        Assert.Empty(_scene.Node.QueueNames);
    }

    [Fact]
    public void Any_outcome_passes_with_all_that_is_in_it()
    {
        byte[][] states =
        [
            [.. DeliveryState.Released],
            Encoded(new Rejected { Error = new AmqpError { Condition = "x:no", Description = "because" } }),
            [0x00, 0x53, 0x27, 0xc0, 0x0a, 0x03, 0x41, 0x42, 0xc1, 0x05, 0x02, 0xa3, 0x01, (byte)'k', 0x43],
        ];
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Next(Flow.DescriptorCode);
        for (uint id = 0; id < states.Length; id++)
        {
            sender.Transfer(0, id, Steps.Message("m"));
            receiver.Send(Settle(id, states[id]));
            Assert.Equal(states[id], sender.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray());
        }
    }

    [Fact]
    public void Receiver_that_settles_second_waits_for_the_sender()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, Steps.Message("m"));
        receiver.TakeAll();
        receiver.Send(FrameBytes.Of(
            new Disposition { Role = Role.Receiver, First = 0, State = DeliveryState.Accepted }));

        Assert.False(sender.Next(Disposition.DescriptorCode).AsDisposition().Settled);
        Assert.Empty(receiver.Frames);
        sender.Send(FrameBytes.Of(
            new Disposition { Role = Role.Sender, First = 0, Settled = true, State = DeliveryState.Accepted }));

        Disposition last = receiver.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal((Role.Sender, true), (last.Role, last.Settled));
    }

    [Fact]
    public void What_is_settled_before_is_never_dropped_and_waits_for_credit()
    {
        AmqpPeer receiver = _scene.Receiver("news", credit: 0);
        AmqpPeer sender = _scene.Sender("news");
        sender.Next(Flow.DescriptorCode);
        for (uint id = 0; id < 250; id++)
        {
            sender.Transfer(0, id, Steps.Message($"{id}"), settled: true);
        }

        Assert.Equal("", sender.TakeAll());
        receiver.Credit(0, 250);

        for (uint id = 0; id < 250; id++)
        {
            Assert.True(receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got).Settled);
            Assert.Equal($"{id}", Steps.BodyOf(got));
        }

        Assert.StartsWith("flow", sender.TakeAll());
    }

    [Fact]
    public void Lost_receiver_gives_back_what_waited_and_fails_what_was_sent()
    {
        AmqpPeer receiver = _scene.Receiver("news", credit: 1);
        AmqpPeer sender = _scene.Sender("news");
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, Steps.Message("sent"));
        sender.Transfer(0, 1, Steps.Message("waits"));
        receiver.Cut();

        var states = new Dictionary<uint, byte[]>();
        bool drains = false;
        while (sender.Frames.Count > 0)
        {
            ReceivedFrame frame = sender.Next();
            if (frame.Descriptor == Disposition.DescriptorCode)
            {
                states.Add(frame.AsDisposition().First, frame.AsDisposition().State.ToArray());
            }
            else
            {
                drains |= frame.AsFlow().Drain;
            }
        }

        Assert.Equal(DeliveryState.ModifiedFailed.ToArray(), states[0]);
        Assert.Equal(DeliveryState.Released.ToArray(), states[1]);
        Assert.True(drains, "the sender's credit is taken back");
    }

    [Fact]
    public void Long_message_passes_frame_by_frame_and_is_aborted_to_the_end()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Next(Flow.DescriptorCode);
        byte[] message = Steps.Message(new string('x', 3000));
        sender.Transfer(0, 0, message.AsSpan(0, 1000), more: true);
        Assert.True(receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] first).More);
        sender.Transfer(0, 0, message.AsSpan(1000, 1000), more: true);
        Assert.True(receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] second).More);
        sender.Transfer(0, 0, message.AsSpan(2000));
        Assert.False(receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] third).More);
        byte[] whole = [.. first, .. second, .. third];
        Assert.Equal(message, whole);

        sender.Transfer(0, 1, message.AsSpan(0, 1000), more: true);
        receiver.Next(Transfer.DescriptorCode);
        sender.Send(FrameBytes.Of(new Transfer { Handle = 0, Aborted = true }, []));
        Assert.True(receiver.Next(Transfer.DescriptorCode).AsTransfer(out _).Aborted);
    }

    [Fact]
    public void Lost_sender_aborts_what_it_had_begun()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Transfer(0, 0, Steps.Message("x").AsSpan(0, 10), more: true);
        receiver.Next(Transfer.DescriptorCode);
        sender.Cut();

        Assert.True(receiver.Next(Transfer.DescriptorCode).AsTransfer(out _).Aborted);
    }

    [Fact]
    public void Multicast_goes_to_all_and_the_highest_outcome_counts()
    {
        AmqpPeer one = _scene.Receiver("all.news");
        AmqpPeer two = _scene.Receiver("all.news");
        AmqpPeer sender = _scene.Sender("all.news");
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, Steps.Message("m"));
        one.Next(Transfer.DescriptorCode);
        two.Next(Transfer.DescriptorCode);
        one.Send(Settle(0, DeliveryState.Accepted));
        Assert.Empty(sender.Frames);
        two.Send(Settle(0, DeliveryState.Released));

        Disposition disposition = sender.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(DeliveryState.Accepted.ToArray(), disposition.State.ToArray());
    }

    [Fact]
    public void Address_of_every_router_is_the_local_one_of_each()
    {
        AmqpPeer sender = _scene.Sender("amqp:/_topo/0/all/news");
        Assert.Empty(sender.Frames);
        AmqpPeer one = _scene.Receiver("amqp:/_local/news");
        AmqpPeer two = _scene.Receiver("amqp:/_topo/0/A/news");
        AmqpPeer three = _scene.Receiver("amqp:/_topo/0/all/news");
        AmqpPeer other = _scene.Receiver("news");
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, Steps.Message("m"));

        Assert.Equal("m", Body(one.Next(Transfer.DescriptorCode)));
        Assert.Equal("m", Body(two.Next(Transfer.DescriptorCode)));
        Assert.Equal("m", Body(three.Next(Transfer.DescriptorCode)));
        Assert.Empty(other.Frames);
    }

    [Fact]
    public void Balanced_gives_to_who_has_least()
    {
        AmqpPeer idle = _scene.Receiver("work");
        AmqpPeer busy = _scene.Receiver("work", credit: 0);
        AmqpPeer sender = _scene.Sender("work");
        for (uint id = 0; id < 4; id++)
        {
            sender.Transfer(0, id, Steps.Message($"{id}"));
            while (idle.Frames.Count > 0)
            {
                ReceivedFrame frame = idle.Next();
                idle.Send(Settle(frame.AsTransfer(out _).DeliveryId!.Value, DeliveryState.Accepted));
            }
        }

        busy.Credit(0, 10);
        Assert.Equal("transfer", busy.TakeAll());
    }

    [Fact]
    public void Unavailable_address_is_refused()
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "closed")));

        Assert.Equal("attach detach(amqp:not-found)", client.TakeAll());
    }

    [Fact]
    public void What_the_broker_has_stays_with_the_broker()
    {
        AmqpPeer client = _scene.Client();
        client.AttachSender(0, "queue://kept");
        client.Transfer(0, 0, Steps.Message("m"));
        Assert.Equal("disposition", client.TakeAll());

        AmqpPeer late = _scene.Receiver("kept");
        Assert.Equal("m", Body(late.Next(Transfer.DescriptorCode)));
    }

    // Who is there stays where the rules of that time have put him; when the queue goes, nothing of it stays there.
    [Fact]
    public async Task A_queue_goes_from_where_it_came_though_the_rules_have_changed()
    {
        AmqpPeer maker = _scene.Client();
        maker.AttachSender(0, "queue://kept");
        _scene.Node.Advance(1000);
        Assert.True(IsDrawnAt(phase: 0));
        await RuleAsync("kept", ("ingressPhase", 3), ("egressPhase", 3));
        maker.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        Task removal = _scene.Node.Broker.Management.DeleteAddressAsync(Identity.Node, "default", "kept");
        _scene.Node.Settle();
        await removal;
        _scene.Node.Advance(1000);
        Assert.False(IsDrawnAt(phase: 0));
        Assert.False(IsDrawnAt(phase: 3));

        bool IsDrawnAt(int phase) => _scene.Network.Find("kept"u8, phase) is { } route
            && _scene.Network.HasDestinationAt(route, "A");
    }

    [Fact]
    public async Task Who_came_by_other_rules_draws_what_a_queue_gives_too()
    {
        AmqpPeer early = _scene.Receiver("kept");
        await RuleAsync("kept", ("egressPhase", 3));
        AmqpPeer maker = _scene.Client();
        maker.AttachSender(0, "queue://kept");
        maker.Transfer(0, 0, Steps.Message("m"));
        _scene.Node.Advance(1000);
        Assert.Equal("m", Body(early.Next(Transfer.DescriptorCode)));
    }

    private async Task RuleAsync(string pattern, params (string Name, long Value)[] attributes)
    {
        ImmutableDictionary<string, AmqpValue> all = ImmutableDictionary<string, AmqpValue>.Empty
            .Add("pattern", pattern)
            .AddRange(attributes.Select(one => KeyValuePair.Create(one.Name, AmqpValue.Long(one.Value))));
        CommandResult made = await _scene.Network.Owners.CarryAsync(
            new CreateEntity("router.config.address", "late", all));
        Assert.Null(made.Fault);
    }

    [Fact]
    public void Reply_comes_to_an_address_that_the_node_made()
    {
        AmqpPeer requester = _scene.Client();
        requester.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Dynamic = true })));
        string reply = requester.Next(Attach.DescriptorCode).AsAttach().Source!.Address!;
        Assert.StartsWith("amqp:/_topo/0/A/temp.", reply, StringComparison.Ordinal);
        requester.Credit(0, 10);
        AmqpPeer answerer = _scene.Sender(address: null);
        Assert.Equal(250u, answerer.Next(Flow.DescriptorCode).AsFlow().LinkCredit);
        answerer.Transfer(0, 0, new AmqpMessage
        {
            Properties = new MessageProperties { To = reply },
            BodyKind = BodyKind.Value,
            Value = "answer",
        }.ToArray());

        requester.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);
        Assert.Equal("answer", AmqpMessage.Read(got).Value.AsText());
    }

    [Fact]
    public void Anonymous_message_that_nobody_wants_is_released_and_one_without_address_rejected()
    {
        AmqpPeer sender = _scene.Sender(address: null);
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, new AmqpMessage
        {
            Properties = new MessageProperties { To = "nobody" },
            BodyKind = BodyKind.Value,
            Value = 1,
        }.ToArray());
        Assert.Equal(
            DeliveryState.Released.ToArray(), sender.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray());
        sender.Transfer(0, 1, Steps.Message("m"));
        byte[] state = sender.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray();
        Assert.Equal("amqp:precondition-failed", DeliveryState.ReadRejected(state).Error!.Condition);
    }

    [Fact]
    public void Annotations_of_routers_do_not_come_from_clients_and_do_not_go_to_them()
    {
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-mine", 1);
        annotations.AddSymbol("x-opt-qd.to", "elsewhere");
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Transfer(0, 0, new AmqpMessage
        {
            MessageAnnotations = annotations,
            BodyKind = BodyKind.Value,
            Value = "v",
        }.ToArray());

        receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);
        AmqpMessage read = AmqpMessage.Read(got);
        Assert.Equal("v", read.Value.AsText());
        Assert.Equal("x-opt-mine", Assert.Single(read.MessageAnnotations!).Key.AsText());
    }

    [Fact]
    public void Routers_link_on_a_clients_connection_is_forbidden()
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, null) with
        {
            Target = new Target { Capabilities = ["qd.router"] },
        }));

        Assert.Equal("attach detach(qd:forbidden)", client.TakeAll());
    }

    [Fact]
    public void Drained_receiver_has_its_credit_taken()
    {
        AmqpPeer receiver = _scene.Receiver("news", credit: 0);
        receiver.Credit(0, 10, drain: true);

        Flow flow = receiver.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((10u, 0u), (flow.DeliveryCount!.Value, flow.LinkCredit!.Value));
    }

    private static byte[] Settle(uint id, ReadOnlySpan<byte> state) => FrameBytes.Of(
        new Disposition { Role = Role.Receiver, First = id, Settled = true, State = state });

    private static string Body(ReceivedFrame frame)
    {
        frame.AsTransfer(out byte[] got);
        return Steps.BodyOf(got);
    }

    private static byte[] Encoded(Rejected rejected)
    {
        var writer = new AmqpWriter(new System.Buffers.ArrayBufferWriter<byte>());
        rejected.Write(ref writer);
        return writer.Written.ToArray();
    }
}
