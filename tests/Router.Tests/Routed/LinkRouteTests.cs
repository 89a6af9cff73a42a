using System.Collections.Immutable;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Containers;
using Pillarbox.Router.Management;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Links that go through the node to a broker as a whole.</summary>
public sealed class LinkRouteTests : IDisposable
{
    private static readonly byte[] Transactional =
        [0x00, 0x53, 0x34, 0xc0, 0x07, 0x02, 0xa0, 0x02, 0x01, 0x02, 0x40, 0x40];

    private readonly RoutedScene _scene = new();

    public LinkRouteTests()
    {
        Route("broker", isForSenders: true);
        Route("broker", isForSenders: false);
        Route("$coordinator", isForSenders: true);
    }

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Sender_sees_the_brokers_credit_tags_states_and_outcomes()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        var properties = new AmqpMap();
        properties.AddSymbol("x", 1);
        client.Send(FrameBytes.Of(
            Steps.SenderAttach(0, "broker.q") with { Properties = properties, InitialDeliveryCount = 7 }));
        Assert.Empty(client.Frames);
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();
        Assert.Equal(
            ("sender-0@peer-1", "broker.q", 7u, properties),
            (attach.Name, (attach.Target as Target)?.Address, attach.InitialDeliveryCount, attach.Properties));

        broker.Answer(attach, channel);
        Assert.Equal("sender-0", client.Next(Attach.DescriptorCode).AsAttach().Name);
        Assert.Empty(client.Frames);
        broker.Credit(attach.Handle, 3, channel, deliveryCount: 7);
        Flow flow = client.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((7u, 3u), (flow.DeliveryCount, flow.LinkCredit));

        client.Send(FrameBytes.Of(
            new Transfer
            {
                Handle = 0,
                DeliveryId = 0,
                DeliveryTag = "tag"u8,
                State = Transactional,
                MessageFormat = 5,
            },
            Steps.Message("m")));
        Transfer transfer = broker.Peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] message);
        Assert.Equal("tag"u8.ToArray(), transfer.DeliveryTag.ToArray());
        Assert.Equal(Transactional, transfer.State.ToArray());
        Assert.Equal((5u, "m"), (transfer.MessageFormat, Steps.BodyOf(message)));
        broker.Peer.Send(FrameBytes.Of(
            new Disposition { Role = Role.Receiver, First = 0, Settled = true, State = Transactional }, channel));
        Disposition outcome = client.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.True(outcome.Settled);
        Assert.Equal(Transactional, outcome.State.ToArray());
    }

    [Fact]
    public void Receiver_gives_credit_before_the_answer_states_transactions_and_drains()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(
        [
            .. FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "broker.q" })),
            .. FrameBytes.Of(new Flow
            {
                NextIncomingId = 0, IncomingWindow = 1000, NextOutgoingId = 0, OutgoingWindow = 1000, Handle = 0,
                LinkCredit = 5, Drain = true,
            }),
        ]);
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();
        Assert.Equal("broker.q", attach.Source?.Address);
        broker.Answer(attach, channel, initialDeliveryCount: 40);
        Assert.Equal(40u, client.Next(Attach.DescriptorCode).AsAttach().InitialDeliveryCount);
        Flow flow = broker.Peer.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((40u, 5u, true), (flow.DeliveryCount, flow.LinkCredit, flow.Drain));

        broker.Peer.Send(FrameBytes.Of(Steps.TransferOf(attach.Handle, 0), Steps.Message("m"), channel));
        broker.Credit(attach.Handle, 0, channel, deliveryCount: 45, drain: true);
        client.Next(Transfer.DescriptorCode);
        flow = client.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((45u, 0u), (flow.DeliveryCount, flow.LinkCredit));

        client.Send(FrameBytes.Of(
            new Disposition { Role = Role.Receiver, First = 0, Settled = true, State = Transactional }));
        Assert.Equal(
            Transactional, broker.Peer.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray());
    }

    [Fact]
    public void Coordinator_and_sender_of_a_session_stay_in_one_session()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(
            Steps.SenderAttach(0, null) with
            {
                Target = new Coordinator { Capabilities = ["amqp:local-transactions"] },
            }));
        ushort channel = broker.TakeSession();
        Attach coordinator = broker.TakeAttach();
        Assert.IsType<Coordinator>(coordinator.Target);
        broker.Answer(coordinator, channel);
        Assert.IsType<Coordinator>(client.Next(Attach.DescriptorCode).AsAttach().Target);
        client.Send(FrameBytes.Of(Steps.SenderAttach(1, "broker.q")));
        ReceivedFrame second = broker.Peer.Next(Attach.DescriptorCode);
        Assert.Equal(channel, second.Header.Channel);

        AmqpPeer other = _scene.Client();
        other.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        Assert.NotEqual(channel, broker.TakeSession());
    }

    [Fact]
    public void Broker_that_refuses_is_heard()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        ushort channel = broker.TakeSession();
        broker.Refuse(broker.TakeAttach(), channel, "amqp:not-found");
        Assert.Null(client.Next(Attach.DescriptorCode).AsAttach().Target);
        Assert.Equal("amqp:not-found", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
    }

    [Fact]
    public void Broker_that_takes_no_more_sessions_gets_none_and_the_client_hears_why()
    {
        _scene.Network.Containers.Add(new AutoLinkRule(
            new AutoLinkPlan { Name = "kept", Address = "work", IsIncoming = true },
            new ContainerRule("to-broker", null)));
        var broker = new ContainerPeer(_scene, channelMax: 0);
        ushort channel = broker.TakeSession();
        Attach kept = broker.TakeAttach();
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        Assert.Empty(broker.Peer.Frames);
        Assert.Null(client.Next(Attach.DescriptorCode).AsAttach().Target);
        Assert.Equal(
            AmqpErrorCondition.ResourceLimitExceeded, client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
        broker.Answer(kept, channel);
        Assert.False(broker.Peer.IsEnded);
    }

    // Part 2 section 2.6.3: an attach is answered before the link ends, also when the broker's answer cannot be.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Answer_that_the_client_cannot_read_ends_the_link_on_both_sides(bool sends)
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Node.InSession(open: new Open { ContainerId = "small", MaxFrameSize = 512 });
        client.Send(FrameBytes.Of(sends
            ? Steps.SenderAttach(0, "broker.q")
            : Steps.ReceiverAttach(0, new Source { Address = "broker.q" })));
        ushort channel = broker.TakeSession();
        var properties = new AmqpMap();
        properties.Add("long", new string('x', 1000));
        broker.Answer(broker.TakeAttach() with { Properties = properties }, channel);

        Attach answer = client.Next(Attach.DescriptorCode).AsAttach();
        Assert.Null(sends ? answer.Target : answer.Source);
        Assert.NotNull(client.Next(Detach.DescriptorCode).AsDetach().Error);
        Assert.Empty(client.Frames);
        Assert.NotNull(broker.Peer.Next(Detach.DescriptorCode).AsDetach().Error);
    }

    [Fact]
    public void Detach_passes_with_its_error_and_the_session_ends_with_its_last_link()
    {
        (ContainerPeer broker, AmqpPeer client, Attach attach, ushort channel) = Attached();
        client.Send(FrameBytes.Of(new Detach
        {
            Handle = 0,
            Closed = false,
            Error = new AmqpError { Condition = "x:why" },
        }));
        Detach detach = broker.Peer.Next(Detach.DescriptorCode).AsDetach();
        Assert.Equal((attach.Handle, false, "x:why"), (detach.Handle, detach.Closed, detach.Error?.Condition));
        Assert.Equal(channel, broker.Peer.Next(End.DescriptorCode).Header.Channel);
    }

    [Fact]
    public void Lost_broker_ends_the_link_and_what_was_sent_has_failed()
    {
        (ContainerPeer broker, AmqpPeer client, Attach attach, ushort channel) = Attached();
        broker.Credit(attach.Handle, 1, channel);
        client.Next(Flow.DescriptorCode);
        client.Transfer(0, 0, Steps.Message("m"));
        broker.Peer.Cut();
        Assert.Equal(
            DeliveryStateKind.Modified,
            DeliveryState.KindOf(client.Next(Disposition.DescriptorCode).AsDisposition().State));
        Assert.Equal("qd:routed-link-lost", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);

        client.Send(FrameBytes.Of(Steps.SenderAttach(1, "broker.q")));
        client.Next(Attach.DescriptorCode);
        Assert.Equal("qd:no-route-to-dest", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
    }

    [Fact]
    public void Lost_client_ends_its_link_at_the_broker_and_aborts_what_was_half_sent()
    {
        (ContainerPeer broker, AmqpPeer client, Attach attach, ushort channel) = Attached();
        broker.Credit(attach.Handle, 1, channel);
        client.Next(Flow.DescriptorCode);
        client.Transfer(0, 0, Steps.Message("half"), more: true);
        broker.Peer.Next(Transfer.DescriptorCode);
        client.Cut();
        Assert.True(broker.Peer.Next(Transfer.DescriptorCode).AsTransfer(out _).Aborted);
        Assert.Equal("qd:routed-link-lost", broker.Peer.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
    }

    // The broker hears of it as of a delivery that was given up: else both would wait for the other.
    [Fact]
    public void Delivery_that_is_aborted_at_once_has_used_its_credit()
    {
        (ContainerPeer broker, AmqpPeer client, Attach attach, ushort channel) = Attached();
        broker.Credit(attach.Handle, 1, channel);
        uint before = client.Next(Flow.DescriptorCode).AsFlow().DeliveryCount!.Value;
        client.Send(
        [
            .. FrameBytes.Of(Steps.TransferOf(0, 0) with { More = true }, Steps.Message("half")),
            .. FrameBytes.Of(new Transfer { Handle = 0, Aborted = true }, default),
        ]);
        ReceivedFrame frame = broker.Peer.Next();
        while (frame.Descriptor == Transfer.DescriptorCode)
        {
            frame = broker.Peer.Next();
        }

        Flow flow = frame.AsFlow();
        Assert.Equal((before + 1, 0u), (flow.DeliveryCount, flow.LinkCredit));
    }

    [Fact]
    public void Client_that_gives_up_before_the_answer_leaves_nothing_behind()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();
        client.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        client.Next(Attach.DescriptorCode);
        client.Next(Detach.DescriptorCode);
        broker.Answer(attach, channel);
        Assert.True(broker.Peer.Next(Detach.DescriptorCode).AsDetach().Closed);
    }

    [Fact]
    public void Transfer_without_the_brokers_credit_is_an_error_of_the_link()
    {
        (_, AmqpPeer client, _, _) = Attached();
        client.Transfer(0, 0, Steps.Message("m"));
        Assert.Equal(
            "amqp:link:transfer-limit-exceeded", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
    }

    [Fact]
    public void Prefixes_of_addresses_are_changed_for_the_broker_and_back()
    {
        _scene.Network.Containers.Add(new LinkRouteRule
        {
            Name = "mapped",
            Pattern = "east/*/in",
            IsForSenders = true,
            For = new ContainerRule(null, "broker-1"),
            RemovedPrefix = "east/",
            AddedPrefix = "b.",
        });
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "east/q/in")));
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();
        Assert.Equal("b.q/in", (attach.Target as Target)?.Address);
        broker.Answer(attach, channel);
        Assert.Equal("east/q/in", (client.Next(Attach.DescriptorCode).AsAttach().Target as Target)?.Address);
    }

    [Fact]
    public void Links_go_to_several_brokers_in_turn()
    {
        var first = new ContainerPeer(_scene, "one");
        var second = new ContainerPeer(_scene, "two");
        foreach (ContainerPeer next in (ContainerPeer[])[first, second, first])
        {
            AmqpPeer client = _scene.Client();
            client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
            next.TakeSession();
            next.TakeAttach();
        }
    }

    [Fact]
    public void Attach_that_comes_back_from_another_router_goes_no_further()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer router = _scene.Node.Connect(new ConnectionPlan(ConnectionRole.InterRouter, IsInitiator: false));
        router.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = "B" })]);
        router.Next(Open.DescriptorCode);
        router.Send(FrameBytes.Of(Steps.Begin));
        router.Next(Begin.DescriptorCode);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();

        router.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q") with { Name = attach.Name }));
        Assert.Null(router.Next(Attach.DescriptorCode).AsAttach().Target);
        Assert.Equal("qd:no-route-to-dest", router.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
        Assert.Empty(broker.Peer.Frames);

        broker.Answer(attach, channel);
        router.Send(FrameBytes.Of(Steps.SenderAttach(1, "broker.q") with { Name = attach.Name }));
        broker.TakeSession();
        Assert.Equal(attach.Name, broker.TakeAttach().Name);
    }

    [Fact]
    public void Connection_makes_a_link_route_for_itself_as_long_as_it_lasts()
    {
        AmqpPeer container = _scene.Client();
        container.AttachReceiver(0, "replies");
        container.Credit(0, 10);
        Assert.True(container.AttachSender(1, "$management") > 0);
        container.Transfer(1, 0, ManagementSteps.Create(
            "router.connection.linkRoute", "replies", ("pattern", "own/#"), ("direction", "in")), settled: true);
        AmqpMessage reply = ManagementSteps.Reply(container);
        Assert.Equal(201, ManagementSteps.StatusOf(reply));
        Assert.True(reply.Value.AsMap()!.TryGet("identity", out AmqpValue identity));

        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "own.q")));
        container.Next(Begin.DescriptorCode);
        Assert.Equal("own.q", (container.Next(Attach.DescriptorCode).AsAttach().Target as Target)?.Address);

        AmqpPeer other = _scene.Client();
        other.AttachReceiver(0, "others");
        other.Credit(0, 10);
        other.AttachSender(1, "$management");
        other.Transfer(1, 0, ManagementSteps.Delete(
            "router.connection.linkRoute", "others", identity.AsText()!), settled: true);
        Assert.Equal(403, ManagementSteps.StatusOf(ManagementSteps.Reply(other)));

        container.Cut();
        client.Next(Attach.DescriptorCode);
        Assert.Equal("qd:routed-link-lost", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
        Assert.DoesNotContain(
            _scene.Network.View().Configured, entity => entity.Type == "router.connection.linkRoute");
    }

    [Fact]
    public async Task Routes_and_auto_links_come_and_go_while_the_node_runs()
    {
        ImmutableDictionary<string, AmqpValue> attributes = ImmutableDictionary<string, AmqpValue>.Empty
            .Add("direction", "in").Add("connection", "to-broker");
        CommandResult made = await _scene.Network.Owners.CarryAsync(
            new CreateEntity("router.config.linkRoute", "late", attributes.Add("prefix", "late")));
        Assert.Null(made.Fault);
        CommandResult kept = await _scene.Network.Owners.CarryAsync(
            new CreateEntity("router.config.autoLink", "kept", attributes.Add("address", "work")));
        Assert.Null(kept.Fault);
        Assert.NotNull((await _scene.Network.Owners.CarryAsync(
            new CreateEntity("router.config.autoLink", "kept", attributes.Add("address", "work")))).Fault);

        var broker = new ContainerPeer(_scene);
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();
        Assert.Equal("work", attach.Source?.Address);
        broker.Answer(attach, channel);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "late.q")));
        broker.TakeSession();
        broker.TakeAttach();

        await _scene.Network.Owners.CarryAsync(new DeleteEntity(kept.Made!));
        await _scene.Network.Owners.CarryAsync(new DeleteEntity(made.Made!));
        _scene.Node.Settle();
        Assert.True(broker.Peer.Next(Detach.DescriptorCode).AsDetach().Closed);
        client.Send(FrameBytes.Of(Steps.SenderAttach(1, "late.q")));
        Assert.Equal("late.q", (client.Next(Attach.DescriptorCode).AsAttach().Target as Target)?.Address);
    }

    [Fact]
    public void Handles_are_used_again()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.stays")));
        ushort channel = broker.TakeSession();
        broker.Answer(broker.TakeAttach(), channel);
        for (uint i = 0; i < 2000; i++)
        {
            client.Send(FrameBytes.Of(Steps.SenderAttach(1, "broker.q")));
            Attach attach = broker.TakeAttach();
            Assert.Equal(1u, attach.Handle);
            broker.Answer(attach, channel);
            client.Send(FrameBytes.Of(new Detach { Handle = 1, Closed = true }));
            broker.Peer.Next(Detach.DescriptorCode);
            broker.Peer.Send(FrameBytes.Of(new Detach { Handle = attach.Handle, Closed = true }, channel));
        }

        Assert.DoesNotContain("error", client.TakeAll(), StringComparison.Ordinal);
    }

    private (ContainerPeer Broker, AmqpPeer Client, Attach Attach, ushort Channel) Attached()
    {
        var broker = new ContainerPeer(_scene);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        ushort channel = broker.TakeSession();
        Attach attach = broker.TakeAttach();
        broker.Answer(attach, channel);
        client.Next(Attach.DescriptorCode);
        return (broker, client, attach, channel);
    }

    private void Route(string prefix, bool isForSenders) => _scene.Network.Containers.Add(new LinkRouteRule
    {
        Name = $"{prefix}-{isForSenders}",
        Prefix = prefix,
        IsForSenders = isForSenders,
        For = new ContainerRule("to-broker", null),
    });
}
