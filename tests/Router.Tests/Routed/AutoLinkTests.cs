using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Links that the node keeps to a broker by itself: producers' messages go there, consumers' come from
/// there.</summary>
public sealed class AutoLinkTests : IDisposable
{
    private readonly RoutedScene _scene = new(new AddressRule { Pattern = "queue", EgressPhase = 1 });

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Message_goes_to_the_broker_and_comes_back_for_the_consumer()
    {
        Keep("queue", isIncoming: false, phase: 0);
        Keep("queue", isIncoming: true, phase: 1);
        var broker = new ContainerPeer(_scene);
        ushort channel = broker.TakeSession();
        Attach toBroker = broker.TakeAttach();
        Attach fromBroker = broker.TakeAttach();
        Assert.Equal((Role.Sender, "queue"), (toBroker.Role, (toBroker.Target as Target)?.Address));
        Assert.Equal((Role.Receiver, "queue"), (fromBroker.Role, fromBroker.Source?.Address));
        broker.Answer(toBroker, channel);
        broker.Answer(fromBroker, channel);
        Assert.Empty(broker.Peer.Frames);
        broker.Credit(toBroker.Handle, 10, channel);

        AmqpPeer producer = _scene.Sender("queue");
        producer.Next(Flow.DescriptorCode);
        AmqpPeer consumer = _scene.Receiver("queue");
        Assert.Equal(250u, broker.Peer.Next(Flow.DescriptorCode).AsFlow().LinkCredit);
        producer.Transfer(0, 0, Steps.Message("hello"));
        ReceivedFrame came = broker.Peer.Next(Transfer.DescriptorCode);
        came.AsTransfer(out byte[] stored);
        Assert.Empty(producer.Frames);
        Assert.Empty(consumer.Frames);
        broker.Peer.Send(FrameBytes.Of(Settled(0, DeliveryState.Accepted), channel));
        Assert.Equal(
            DeliveryState.Accepted.ToArray(),
            producer.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray());

        broker.Peer.Send(FrameBytes.Of(Steps.TransferOf(fromBroker.Handle, 0), stored, channel));
        consumer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);
        Assert.Equal("hello", Steps.BodyOf(got));
        consumer.Send(FrameBytes.Of(Settled(0, DeliveryState.Released)));
        Assert.Equal(
            DeliveryState.Released.ToArray(),
            broker.Peer.Next(Disposition.DescriptorCode).AsDisposition().State.ToArray());
    }

    [Fact]
    public void Address_of_the_broker_may_have_another_name()
    {
        Keep("queue", isIncoming: false, phase: 0, external: "q://inner");
        var broker = new ContainerPeer(_scene);
        broker.TakeSession();
        Assert.Equal("q://inner", (broker.TakeAttach().Target as Target)?.Address);
    }

    [Fact]
    public void Refused_link_is_tried_again_first_after_two_seconds_then_each_five()
    {
        Keep("queue", isIncoming: true, phase: 1);
        Assert.Equal(("inactive", null), State());
        var broker = new ContainerPeer(_scene);
        ushort channel = broker.TakeSession();
        Assert.Equal(("attaching", null), State());
        broker.Refuse(broker.TakeAttach(), channel, "amqp:not-found");
        Assert.Equal(("failed", "amqp:not-found: not here"), State());

        _scene.Node.Advance(1750);
        Assert.Empty(broker.Peer.Frames);
        _scene.Node.Advance(500);
        broker.Refuse(broker.TakeAttach(), channel, "amqp:not-found");
        _scene.Node.Advance(4500);
        Assert.Empty(broker.Peer.Frames);
        _scene.Node.Advance(750);
        broker.Answer(broker.TakeAttach(), channel);
        Assert.Equal(("active", null), State());
    }

    [Fact]
    public void Broker_without_a_session_left_for_it_is_a_link_that_failed()
    {
        _scene.Network.Containers.Add(new LinkRouteRule
        {
            Name = "all",
            Prefix = "broker",
            IsForSenders = true,
            For = new ContainerRule("to-broker", null),
        });
        var broker = new ContainerPeer(_scene, channelMax: 0);
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(Steps.SenderAttach(0, "broker.q")));
        broker.TakeSession();
        broker.TakeAttach();
        Keep("queue", isIncoming: true, phase: 1);
        _scene.Node.Settle();
        Assert.Empty(broker.Peer.Frames);
        Assert.Equal(("failed", "the peer takes no more sessions"), State());
    }

    [Fact]
    public void Lost_broker_gives_back_what_waited_and_fails_what_was_sent()
    {
        Keep("queue", isIncoming: false, phase: 0);
        var broker = new ContainerPeer(_scene);
        ushort channel = broker.TakeSession();
        Attach toBroker = broker.TakeAttach();
        broker.Answer(toBroker, channel);
        broker.Credit(toBroker.Handle, 1, channel);
        AmqpPeer producer = _scene.Sender("queue");
        producer.Next(Flow.DescriptorCode);
        producer.Transfer(0, 0, Steps.Message("sent"));
        producer.Transfer(0, 1, Steps.Message("waits"));
        broker.Peer.Cut();

        Disposition waited = producer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(1u, waited.First);
        Assert.Equal(DeliveryState.Released.ToArray(), waited.State.ToArray());
        Disposition sent = producer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(DeliveryStateKind.Modified, DeliveryState.KindOf(sent.State));
        Assert.Equal(("inactive", null), State());
        Assert.True(producer.Next(Flow.DescriptorCode).AsFlow().Drain);
    }

    [Fact]
    public void What_nobody_takes_goes_to_the_fallback_and_comes_back_when_somebody_does()
    {
        using var scene = new RoutedScene(new AddressRule { Pattern = "work", HasFallback = true });
        Keep(scene, "work", isIncoming: false, phase: 0, isFallback: true);
        Keep(scene, "work", isIncoming: true, phase: 0, isFallback: true);
        AmqpPeer producer = scene.Sender("work");
        Assert.Empty(producer.Frames);
        var broker = new ContainerPeer(scene);
        ushort channel = broker.TakeSession();
        Attach toBroker = broker.TakeAttach();
        Attach fromBroker = broker.TakeAttach();
        broker.Answer(toBroker, channel);
        broker.Answer(fromBroker, channel);
        broker.Credit(toBroker.Handle, 10, channel);

        producer.Next(Flow.DescriptorCode);
        producer.Transfer(0, 0, Steps.Message("one"));
        broker.Peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] stored);
        Assert.Equal("one", Steps.BodyOf(stored));
        Assert.Empty(broker.Peer.Frames);

        AmqpPeer consumer = scene.Receiver("work");
        broker.Peer.Next(Flow.DescriptorCode);
        broker.Peer.Send(FrameBytes.Of(Steps.TransferOf(fromBroker.Handle, 0), stored, channel));
        consumer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);
        Assert.Equal("one", Steps.BodyOf(got));
        producer.Transfer(0, 1, Steps.Message("two"));
        consumer.Next(Transfer.DescriptorCode).AsTransfer(out got);
        Assert.Equal("two", Steps.BodyOf(got));
        Assert.Empty(broker.Peer.Frames);
    }

    [Fact]
    public void Receiver_may_be_the_fallback_by_its_capability()
    {
        using var scene = new RoutedScene(new AddressRule { Pattern = "work", HasFallback = true });
        AmqpPeer fallback = scene.Client();
        fallback.Send(FrameBytes.Of(Steps.ReceiverAttach(
            0, new Source { Address = "work", Capabilities = [RoutePlace.FallbackCapability] })));
        fallback.Next(Attach.DescriptorCode);
        fallback.Credit(0, 10);
        AmqpPeer producer = scene.Sender("work");
        producer.Next(Flow.DescriptorCode);
        producer.Transfer(0, 0, Steps.Message("one"));
        fallback.Next(Transfer.DescriptorCode);

        AmqpPeer anonymous = scene.Sender(null);
        anonymous.Next(Flow.DescriptorCode);
        anonymous.Transfer(0, 0, [0x00, 0x53, 0x73, 0xc0, 0x09, 0x03, 0x40, 0x40, 0xa1, 4, (byte)'w', (byte)'o',
            (byte)'r', (byte)'k', .. Steps.Message("two", durable: false)]);
        fallback.Next(Transfer.DescriptorCode);
    }

    private static Disposition Settled(uint id, ReadOnlySpan<byte> state) =>
        new() { Role = Role.Receiver, First = id, Settled = true, State = state };

    private void Keep(string address, bool isIncoming, int phase, string? external = null) =>
        Keep(_scene, address, isIncoming, phase, external);

    private static void Keep(
        RoutedScene scene, string address, bool isIncoming, int phase, string? external = null,
        bool isFallback = false) => scene.Network.Containers.Add(new AutoLinkRule(
            new AutoLinkPlan
            {
                Name = isIncoming ? "in" : "out",
                Address = address,
                IsIncoming = isIncoming,
                Phase = phase,
                ExternalAddress = external,
                IsFallback = isFallback,
            },
            new ContainerRule("to-broker", null)));

    private (string? Status, string? Error) State()
    {
        ConfiguredEntity entity = _scene.Network.View().Configured.Single(c => c.Type == "router.config.autoLink");
        Assert.Equal(
            entity.Attributes["operStatus"].AsText() == "active", entity.Attributes["linkRef"].AsText() is not null);
        return (entity.Attributes["operStatus"].AsText(), entity.Attributes["lastError"].AsText());
    }
}
