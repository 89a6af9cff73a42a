using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Messages through the whole engine and a broker in memory.</summary>
public sealed class ConversationTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Fact]
    public void Open_says_what_the_node_offers()
    {
        AmqpPeer peer = _scene.Connect();
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)]);

        Open open = peer.Next(Open.DescriptorCode).AsOpen();

        Assert.Equal(ProtocolHeader.Amqp, Assert.Single(peer.Headers));
        Assert.Equal(
            ["ANONYMOUS-RELAY", "DELAYED_DELIVERY", "SHARED-SUBS", "sole-connection-for-container"],
            open.OfferedCapabilities!);
        Assert.Equal(131072u, open.MaxFrameSize);
        Assert.Equal(255, open.ChannelMax);
        Assert.Equal(30_000u, open.IdleTimeoutMs);
        Assert.True(open.Properties!.TryGet("product", out AmqpValue product));
        Assert.Equal("pillarbox", product.AsText());
    }

    [Fact]
    public void Message_comes_out_with_the_bytes_it_went_in()
    {
        byte[] message =
        [
            .. Steps.Message("", durable: true)[..7],
            .. AmqpValue.Described(Descriptors.DeliveryAnnotations, AmqpValue.Map(Map("x-hop", 1))).ToEncoded(),
            .. AmqpValue.Described(Descriptors.MessageAnnotations, AmqpValue.Map(Map("x-opt-kept", 2))).ToEncoded(),
            0x00, 0x53, 0x73, 0xd0, 0, 0, 0, 8, 0, 0, 0, 1, 0xa1, 0x02, (byte)'i', (byte)'d',
            .. Steps.Message("body", durable: false),
            .. AmqpValue.Described(Descriptors.Footer, AmqpValue.Map(Map("sum", 3))).ToEncoded(),
        ];
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, message);
        Assert.Equal("disposition", peer.TakeAll());

        peer.AttachReceiver(1, "q");
        peer.Credit(1, 10);
        peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);

        MessageSections sections = MessageSections.Scan(got);
        Assert.False(sections.DeliveryAnnotations.IsPresent);
        Assert.True(new AmqpReader(sections.Header.ContentOf(got)).PeekType() == AmqpType.List);
        byte[] kept = message[MessageSections.Scan(message).MessageAnnotations.Offset..];
        Assert.Equal(kept, got[sections.MessageAnnotations.Offset..]);
    }

    [Fact]
    public void Publishes_are_acknowledged_in_ranges_once_on_disk()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        peer.Send(
        [
            .. FrameBytes.Of(Steps.TransferOf(0, 0), Steps.Message("a")),
            .. FrameBytes.Of(Steps.TransferOf(0, 1), Steps.Message("b")),
            .. FrameBytes.Of(Steps.TransferOf(0, 2), Steps.Message("c")),
        ]);

        Disposition disposition = peer.Next(Disposition.DescriptorCode).AsDisposition();

        Assert.Equal(Role.Receiver, disposition.Role);
        Assert.Equal((0u, (uint?)2u, true), (disposition.First, disposition.Last, disposition.Settled));
        Assert.Equal(DeliveryStateKind.Accepted, DeliveryState.KindOf(disposition.State));
    }

    [Fact]
    public void Presettled_publish_is_not_answered()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q", SenderSettleMode.Settled);
        peer.Transfer(0, 0, Steps.Message("a", durable: false), settled: true);
        Assert.DoesNotContain("disposition", peer.TakeAll(), StringComparison.Ordinal);

        peer.AttachReceiver(1, "q", SenderSettleMode.Settled);
        peer.Credit(1, 10);
        Transfer transfer = peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload);
        Assert.True(transfer.Settled);
        Assert.Equal("a", Steps.BodyOf(payload));
    }

    [Fact]
    public void Message_in_many_frames_is_put_together_and_taken_apart()
    {
        string body = new('x', 5000);
        byte[] message = Steps.Message(body);
        AmqpPeer peer = _scene.InSession(open: Steps.Open with { MaxFrameSize = 512 });
        peer.AttachSender(0, "q");
        for (int at = 0; at < message.Length; at += 700)
        {
            byte[] part = message[at..Math.Min(at + 700, message.Length)];
            peer.Transfer(0, 0, part, more: at + 700 < message.Length);
        }
        Assert.Equal("disposition", peer.TakeAll());

        peer.AttachReceiver(1, "q");
        peer.Credit(1, 1);
        List<byte> got = [];
        bool more = true;
        while (more)
        {
            ReceivedFrame frame = peer.Next(Transfer.DescriptorCode);
            Assert.True(frame.Header.Size <= 512);
            more = frame.AsTransfer(out byte[] payload).More;
            got.AddRange(payload);
        }
        Assert.Equal(body, Steps.BodyOf([.. got]));
        Assert.Empty(peer.Frames);
    }

    [Fact]
    public void Aborted_delivery_is_forgotten_and_its_credit_comes_back()
    {
        AmqpPeer peer = _scene.InSession();
        uint credit = peer.AttachSender(0, "q");
        peer.Transfer(0, 0, Steps.Message("half").AsSpan(..9), more: true);
        peer.Send(FrameBytes.Of(new Transfer { Handle = 0, Aborted = true }, default));
        Flow flow = peer.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((1u, credit), (flow.DeliveryCount, flow.LinkCredit));

        peer.Transfer(0, 1, Steps.Message("whole"));
        peer.Next(Disposition.DescriptorCode);
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 5);
        peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload);
        Assert.Equal("whole", Steps.BodyOf(payload));
        Assert.Empty(peer.Frames);
    }

    [Fact]
    public void Large_message_streams_through_a_file()
    {
        string body = new('y', 3_000_000);
        byte[] message = Steps.Message(body);
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        for (int at = 0; at < message.Length; at += 100_000)
        {
            peer.Transfer(
                0, 0, message.AsSpan(at, Math.Min(100_000, message.Length - at)), more: at + 100_000 < message.Length);
        }
        Assert.Contains("disposition", peer.TakeAll(), StringComparison.Ordinal);

        peer.AttachReceiver(1, "q");
        peer.Credit(1, 1);
        List<byte> got = [];
        bool more = true;
        while (more)
        {
            more = peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload).More;
            got.AddRange(payload);
        }
        Assert.Equal(body, Steps.BodyOf([.. got]));
    }

    [Fact]
    public void Rejected_message_is_a_dead_letter_with_its_origin()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, Steps.Message("bad"));
        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 1);
        uint id = peer.Next(Transfer.DescriptorCode).AsTransfer(out _).DeliveryId!.Value;
        byte[] state = AmqpValue.Described(Rejected.DescriptorCode, AmqpValue.List(
            AmqpValue.Described(AmqpError.DescriptorCode, AmqpValue.List(AmqpValue.Symbol("app:bad"),
                "no such order")))).ToEncoded();
        peer.Send(FrameBytes.Of(new Disposition { Role = Role.Receiver, First = id, Settled = true, State = state }));

        peer.AttachReceiver(2, "DLQ");
        peer.Credit(2, 1);
        peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] dead);

        Assert.Equal("bad", Steps.BodyOf(dead));
        var annotations = new MapView(MessageSections.Scan(dead).MessageAnnotations.ContentOf(dead));
        Assert.True(annotations.TryGet("x-opt-ORIG-QUEUE", out AmqpScalar queue));
        Assert.Equal("q", queue.GetText());
        Assert.True(annotations.TryGet("x-opt-dlq-reason", out AmqpScalar reason));
        Assert.Equal("rejected", reason.GetText());
    }

    [Fact]
    public void Annotations_of_a_modified_outcome_stay_with_the_message()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        byte[] own = AmqpValue.Described(Descriptors.MessageAnnotations, AmqpValue.Map(Annotations("old", "first")))
            .ToEncoded();
        peer.Transfer(0, 0, [.. own, .. Steps.Message("noted", durable: false)]);
        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 1);
        uint id = peer.Next(Transfer.DescriptorCode).AsTransfer(out _).DeliveryId!.Value;
        byte[] state = AmqpValue.Described(Modified.DescriptorCode, AmqpValue.List(
            AmqpValue.Boolean(true), AmqpValue.Null, AmqpValue.Map(Annotations("x-opt-why", "test")))).ToEncoded();
        peer.Send(FrameBytes.Of(new Disposition { Role = Role.Receiver, First = id, Settled = true, State = state }));
        peer.Credit(1, 1, deliveryCount: 1);
        peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] again);

        Assert.Equal("noted", Steps.BodyOf(again));
        var annotations = new MapView(MessageSections.Scan(again).MessageAnnotations.ContentOf(again));
        Assert.True(annotations.TryGet("old", out AmqpScalar old));
        Assert.Equal("first", old.GetText());
        Assert.True(annotations.TryGet("x-opt-why", out AmqpScalar why));
        Assert.Equal("test", why.GetText());
    }

    private static AmqpMap Annotations(string key, string value)
    {
        var map = new AmqpMap();
        map.AddSymbol(key, value);
        return map;
    }

    [Theory]
    [InlineData("blue", "blue")]
    [InlineData("vhost:blue", "blue")]
    [InlineData("vhost:default", "default")]
    [InlineData("broker.example", "default")]
    [InlineData(null, "default")]
    public void Hostname_of_the_open_selects_the_address_space(string? hostname, string space)
    {
        using var scene = new AmqpScene(
            new AmqpOptions { AddressSpaces = ["default", "blue"] },
            options => options with
            {
                AddressSpaces = new Dictionary<string, Broker.Addresses.AddressSpaceOptions> { ["blue"] = new() },
            });
        AmqpPeer peer = scene.InSession(open: Steps.Open with { Hostname = hostname });
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, Steps.Message("a"));
        peer.TakeAll();
        foreach (string name in new[] { "default", "blue" })
        {
            AmqpPeer other = scene.InSession(open: Steps.Open with { Hostname = $"vhost:{name}", ContainerId = name });
            other.AttachReceiver(1, "q");
            Assert.Equal(name == space ? "transfer" : "", other.Credit(1, 1).TakeAll());
        }
    }

    [Fact]
    public void Unknown_address_space_is_refused()
    {
        AmqpPeer peer = _scene.Opened(Steps.Open with { Hostname = "vhost:nowhere" });
        Assert.Equal($"close({AmqpErrorCondition.NotFound})", peer.TakeAll());
    }

    [Theory]
    [InlineData("accepted", false, 0, false)]
    [InlineData("accepted", true, 0, false)]
    [InlineData("modified", false, 1, true)]
    [InlineData("modified", true, 1, true)]
    [InlineData("none", false, 0, true)]
    public void Default_outcome_counts_for_what_ends_without_one(
        string outcome, bool byDetach, uint countExpected, bool comesBack)
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, Steps.Message("a"));
        peer.TakeAll();
        byte[]? state = outcome switch
        {
            "accepted" => DeliveryState.Accepted.ToArray(),
            "modified" => DeliveryState.ModifiedFailed.ToArray(),
            _ => null,
        };
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(1, new Source { Address = "q", DefaultOutcome = state })));
        peer.Next(Attach.DescriptorCode);
        peer.Credit(1, 1);
        uint id = peer.Next(Transfer.DescriptorCode).AsTransfer(out _).DeliveryId!.Value;
        peer.Send(byDetach
            ? FrameBytes.Of(new Detach { Handle = 1, Closed = true })
            : FrameBytes.Of(new Disposition { Role = Role.Receiver, First = id, Settled = true }));
        peer.TakeAll();

        peer.AttachReceiver(2, "q");
        peer.Credit(2, 1);
        ReceivedFrame? again = peer.Frames.FirstOrDefault(frame => frame.Descriptor == Transfer.DescriptorCode);
        Assert.Equal(comesBack, again is not null);
        if (again is not null)
        {
            again.AsTransfer(out byte[] message);
            var reader = new AmqpReader(message);
            reader.ReadDescriptor();
            Assert.Equal(countExpected, HeaderSection.ReadFields(ref reader).DeliveryCount);
        }
    }

    [Fact]
    public void Default_outcome_that_is_none_is_refused()
    {
        AmqpPeer peer = _scene.InSession();
        byte[] received = AmqpValue.Described(Received.DescriptorCode, AmqpValue.List()).ToEncoded();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(1, new Source { Address = "q", DefaultOutcome = received })));
        Assert.Equal($"attach detach({AmqpErrorCondition.InvalidField})", peer.TakeAll());
    }

    [Fact]
    public void Broken_message_is_rejected_and_the_link_goes_on()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, [0x00, 0x53, 0x70, 0xd0, 0x7f, 0xff, 0xff, 0xff]);
        Disposition disposition = peer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(AmqpErrorCondition.DecodeError, DeliveryState.ReadRejected(disposition.State).Error?.Condition);
        peer.TakeAll();

        peer.Transfer(0, 1, Steps.Message("good"));
        Assert.Equal(
            DeliveryStateKind.Accepted, DeliveryState.KindOf(
                peer.Next(Disposition.DescriptorCode).AsDisposition().State));
    }

    [Fact]
    public void Rest_of_a_rejected_delivery_is_dropped()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        Transfer first = Steps.TransferOf(0, 0, more: true) with { MessageFormat = 7 };
        peer.Send(FrameBytes.Of(first, [1, 2, 3]));
        peer.Send(FrameBytes.Of(new Transfer { Handle = 0 }, [4, 5, 6]));
        Assert.StartsWith("disposition", peer.TakeAll(), StringComparison.Ordinal);
        peer.Transfer(0, 1, Steps.Message("good"));
        Assert.Equal("disposition", peer.TakeAll());
    }

    private static AmqpMap Map(string key, int value)
    {
        var map = new AmqpMap();
        map.AddSymbol(key, value);
        return map;
    }
}
