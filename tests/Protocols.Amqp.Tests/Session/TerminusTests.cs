using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Sources and targets in their kinds (part 3 section 3.5), link stealing, and how links end.</summary>
public sealed class TerminusTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Fact]
    public void Plain_name_is_a_queue_that_consumers_share()
    {
        AmqpPeer peer = _scene.InSession();
        Attach first = peer.AttachReceiver(0, "plain");
        peer.AttachReceiver(1, "plain");
        Assert.Equal(DistributionMode.Move, first.Source!.DistributionMode);
        peer.Credit(0, 1);
        peer.Credit(1, 1);
        peer.AttachSender(2, "plain");
        peer.Transfer(2, 0, Steps.Message("a"));
        peer.Transfer(2, 1, Steps.Message("b"));
        Assert.Equal(2, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
    }

    /// <summary>Found by fuzzing: the producer was opened before the refusal, and its credit came to no link.</summary>
    [Theory]
    [InlineData("plain", false)]
    [InlineData("plain::other", false)]
    [InlineData(null, true)]
    public void Sender_without_initial_delivery_count_is_refused_and_leaves_nothing_open(string? address, bool dynamic)
    {
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.SenderAttach(0, null) with
        {
            Target = new Target { Address = address, Dynamic = dynamic },
            InitialDeliveryCount = null,
        }));
        Assert.Null(peer.Next(Attach.DescriptorCode).AsAttach().Target);
        Detach refusal = peer.Next(Detach.DescriptorCode).AsDetach();
        Assert.Equal(AmqpErrorCondition.InvalidField, refusal.Error!.Condition);

        peer.AttachSender(1, "plain");
        peer.Transfer(1, 0, Steps.Message("a"));
        Assert.Equal(DeliveryStateKind.Accepted, DeliveryState.KindOf(
                peer.Next(Disposition.DescriptorCode).AsDisposition().State));
    }

    [Theory]
    [InlineData("news", "topic")]
    [InlineData("topic://news", null)]
    [InlineData("topic/news", null)]
    public void Topic_copies_to_each_subscriber(string address, string? capability)
    {
        AmqpPeer peer = _scene.InSession();
        string[]? capabilities = capability is null ? null : [capability];
        for (uint handle = 0; handle < 2; handle++)
        {
            Subscribe(peer, handle, new Source { Address = address, Capabilities = capabilities });
            peer.Credit(handle, 5);
        }
        peer.Send(FrameBytes.Of(Steps.SenderAttach(2, null) with
        {
            Target = new Target { Address = address, Capabilities = capabilities },
        }));
        peer.TakeAll();
        peer.Transfer(2, 0, Steps.Message("a"));
        Assert.Equal(2, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
    }

    [Fact]
    public void Durable_subscription_keeps_messages_over_detach_and_goes_with_close()
    {
        var source = new Source
        {
            Address = "news",
            Capabilities = ["topic"],
            Durable = TerminusDurability.UnsettledState,
            ExpiryPolicy = TerminusExpiryPolicy.Never,
        };
        AmqpPeer peer = _scene.InSession();
        Subscribe(peer, 0, source);
        peer.Send(FrameBytes.Of(new Detach { Handle = 0 }));
        Assert.False(peer.Next(Detach.DescriptorCode).AsDetach().Closed);
        Publish(peer, 5, "topic://news", "kept");

        Subscribe(peer, 0, source);
        Assert.Equal("transfer", peer.Credit(0, 5).TakeAll());
        peer.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        peer.TakeAll();
        Publish(peer, 6, "topic://news", "lost");

        Subscribe(peer, 0, source);
        Assert.Equal("", peer.Credit(0, 5).TakeAll());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Attach_is_answered_once_the_queue_it_made_is_on_disk(bool receiver)
    {
        AmqpPeer peer = _scene.InSession();
        var durable = new Source
        {
            Address = "news",
            Capabilities = ["topic"],
            Durable = TerminusDurability.Configuration,
            ExpiryPolicy = TerminusExpiryPolicy.Never,
        };
        Attach attach = receiver ? Steps.ReceiverAttach(0, durable) : Steps.SenderAttach(0, "new");
        peer.Write(FrameBytes.Of(attach));
        _scene.Scheduler.RunAll();
        Assert.Empty(peer.Frames);

        _scene.Settle();
        Assert.Equal(attach.Handle, peer.Next(Attach.DescriptorCode).AsAttach().Handle);
        Assert.Equal(receiver ? "" : "flow", peer.TakeAll());
    }

    [Fact]
    public void Null_source_looks_a_durable_subscription_up()
    {
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, null)));
        Attach refused = peer.Next(Attach.DescriptorCode).AsAttach();
        Assert.Null(refused.Source);
        Assert.Equal($"detach({AmqpErrorCondition.NotFound})", peer.TakeAll());
        peer.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));

        Subscribe(peer, 1, new Source
        {
            Address = "news",
            Capabilities = ["topic"],
            Durable = TerminusDurability.UnsettledState,
            ExpiryPolicy = TerminusExpiryPolicy.Never,
        });
        peer.Send(FrameBytes.Of(new Detach { Handle = 1 }));
        peer.TakeAll();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(1, null)));
        Attach found = peer.Next(Attach.DescriptorCode).AsAttach();
        Assert.Equal("news", found.Source!.Address);
        Assert.Equal(TerminusExpiryPolicy.Never, found.Source.ExpiryPolicy);
    }

    [Theory]
    [InlineData(TerminusExpiryPolicy.LinkDetach, 0u, false)]
    [InlineData(TerminusExpiryPolicy.LinkDetach, 10u, true)]
    [InlineData(TerminusExpiryPolicy.SessionEnd, 0u, true)]
    [InlineData(TerminusExpiryPolicy.ConnectionClose, 0u, true)]
    [InlineData(TerminusExpiryPolicy.Never, 0u, true)]
    public void Expiry_policy_says_what_survives_a_detach(TerminusExpiryPolicy policy, uint timeout, bool survives)
    {
        var source = new Source
        {
            Address = "news",
            Capabilities = ["topic"],
            Durable = TerminusDurability.Configuration,
            ExpiryPolicy = policy,
            TimeoutSeconds = timeout,
        };
        AmqpPeer peer = _scene.InSession();
        Subscribe(peer, 0, source);
        peer.Send(FrameBytes.Of(new Detach { Handle = 0 }));
        peer.TakeAll();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, null)));
        Assert.Equal(survives, peer.Next(Attach.DescriptorCode).AsAttach().Source is not null);
    }

    [Fact]
    public void Expiry_timer_ends_a_subscription_that_nobody_uses()
    {
        var source = new Source
        {
            Address = "news",
            Capabilities = ["topic"],
            Durable = TerminusDurability.Configuration,
            ExpiryPolicy = TerminusExpiryPolicy.LinkDetach,
            TimeoutSeconds = 20,
        };
        AmqpPeer peer = _scene.InSession();
        Subscribe(peer, 0, source);
        peer.Send(FrameBytes.Of(new Detach { Handle = 0 }));
        peer.TakeAll();
        _scene.Advance(21_000);
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, null)));
        Assert.Null(peer.Next(Attach.DescriptorCode).AsAttach().Source);
    }

    [Fact]
    public void Shared_subscription_divides_its_messages()
    {
        AmqpPeer peer = _scene.InSession();
        for (uint handle = 0; handle < 2; handle++)
        {
            var source = new Source { Address = "news", Capabilities = ["topic", "shared"] };
            peer.Send(FrameBytes.Of(Steps.ReceiverAttach(handle, source) with { Name = $"sub|{handle}" }));
            Assert.NotNull(peer.Next(Attach.DescriptorCode).AsAttach().Source);
            peer.Credit(handle, 1);
        }
        Publish(peer, 5, "topic://news", "a", "b");
        Assert.Equal(2, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
    }

    [Fact]
    public void Browser_leaves_the_messages()
    {
        AmqpPeer peer = _scene.InSession();
        Publish(peer, 5, "q", "a", "b");
        peer.Send(FrameBytes.Of(
            Steps.ReceiverAttach(0, new Source { Address = "q", DistributionMode = DistributionMode.Copy })));
        Assert.Equal(DistributionMode.Copy, peer.Next(Attach.DescriptorCode).AsAttach().Source!.DistributionMode);
        peer.Credit(0, 10);
        peer.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver,
            First = 0,
            Last = 1,
            Settled = true,
            State = DeliveryState.Accepted,
        }));
        Assert.Equal("transfer transfer", peer.TakeAll());
        peer.AttachReceiver(1, "q");
        Assert.Equal("transfer transfer", peer.Credit(1, 10).TakeAll());
    }

    [Fact]
    public void Dynamic_source_is_a_queue_that_goes_with_its_link()
    {
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Dynamic = true })));
        string address = peer.Next(Attach.DescriptorCode).AsAttach().Source!.Address!;
        peer.Credit(0, 1);
        Publish(peer, 5, address, "reply");
        Assert.Equal("transfer", peer.TakeAll());
        Assert.NotNull(Find(address));
        peer.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        _scene.Settle();
        Assert.Null(Find(address));
    }

    [Fact]
    public void Relay_sends_each_message_where_it_says()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, null);
        byte[] toX = [0x00, 0x53, 0x73, 0xc0, 6, 3, 0x40, 0x40, 0xa1, 1, (byte)'x'];
        peer.Transfer(0, 0, [.. toX, .. Steps.Message("to x", durable: false)]);
        Assert.Equal("disposition", peer.TakeAll());
        peer.Transfer(0, 1, Steps.Message("nowhere"));
        Disposition refused = peer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(AmqpErrorCondition.InvalidField, DeliveryState.ReadRejected(refused.State).Error?.Condition);
        peer.TakeAll();
        peer.AttachReceiver(1, "x");
        Assert.Equal("transfer", peer.Credit(1, 5).TakeAll());
    }

    [Fact]
    public void Relay_heeds_the_prefix_of_each_address()
    {
        AmqpPeer peer = _scene.InSession();
        Subscribe(peer, 0, new Source { Address = "both", Capabilities = ["topic"] });
        peer.Credit(0, 9);
        _scene.Broker.Management.CreateQueueAsync(Model.Identity.Node, "default", new Broker.Queues.QueueConfig
        {
            Name = "both-queue",
            Address = "both",
        });
        peer.AttachReceiver(1, "both::both-queue");
        peer.Credit(1, 9);
        peer.AttachSender(2, null);
        peer.Transfer(2, 0, ToRelay("topic://both", "t"));
        Assert.Equal((0u, "t"), Assert.Single(Deliveries(peer)));
        peer.Transfer(2, 1, ToRelay("queue://both", "q"));
        Assert.Equal((1u, "q"), Assert.Single(Deliveries(peer)));
        peer.Transfer(2, 2, ToRelay("both", "all"));
        Assert.Equal([(0u, "all"), (1u, "all")], Deliveries(peer).Order());

        peer.Transfer(2, 3, ToRelay("topic://news", "nobody"));
        peer.TakeAll();
        peer.Transfer(2, 4, ToRelay("queue://news", "refused"));
        Disposition refused = peer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(DeliveryStateKind.Rejected, DeliveryState.KindOf(refused.State));
    }

    [Theory]
    [InlineData("made.to", true)]
    [InlineData("other", false)]
    public void Settings_say_what_a_name_becomes_that_nobody_claimed(string name, bool topic)
    {
        using var scene = new AmqpScene(configure: options => options with
        {
            AddressSettings = new Dictionary<string, Broker.Addresses.AddressSettings>
            {
                ["made.#"] = new() { DefaultRoutingType = Model.RoutingType.Multicast },
            },
        });
        AmqpPeer peer = scene.InSession();
        for (uint handle = 0; handle < 2; handle++)
        {
            peer.AttachReceiver(handle, name);
            peer.Credit(handle, 5);
        }
        peer.AttachSender(2, null);
        peer.Transfer(2, 0, ToRelay(name, "a"));
        Assert.Equal(topic ? 2 : 1, Deliveries(peer).Length);
    }

    private static byte[] ToRelay(string to, string body)
    {
        byte[] address = System.Text.Encoding.UTF8.GetBytes(to);
        byte[] list = [0x40, 0x40, 0xa1, (byte)address.Length, .. address];
        return [0x00, 0x53, 0x73, 0xc0, (byte)(list.Length + 1), 3, .. list, .. Steps.Message(body, durable: false)];
    }

    private static (uint Handle, string Body)[] Deliveries(AmqpPeer peer)
    {
        var found = new List<(uint, string)>();
        foreach (ReceivedFrame frame in peer.Frames.Where(frame => frame.Descriptor == Transfer.DescriptorCode))
        {
            uint handle = frame.AsTransfer(out byte[] message).Handle;
            found.Add((handle, Steps.BodyOf(message)));
        }
        peer.TakeAll();
        return [.. found];
    }

    [Fact]
    public void Filters_are_answered_only_when_they_are_applied()
    {
        var filters = new AmqpMap();
        filters.AddSymbol("s", AmqpValue.Described(Descriptors.SelectorFilter, "color = 'red'"));
        filters.AddSymbol("other", AmqpValue.Described(AmqpValue.Symbol("app:unknown"), "x"));
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "q", Filter = filters })));
        AmqpMap applied = peer.Next(Attach.DescriptorCode).AsAttach().Source!.Filter!;
        Assert.Equal("s", Assert.Single(applied).Key.AsText());
    }

    /// <summary>The receiver learns by the answer that it gets everything (3.5.8).</summary>
    [Theory]
    [InlineData("q")]
    [InlineData(null)]
    public void Where_a_stream_is_read_from_is_no_filter_of_a_queue(string? address)
    {
        const string OffsetSpec = "rabbitmq:stream-offset-spec";
        var filters = new AmqpMap();
        filters.AddSymbol(OffsetSpec, AmqpValue.Described(AmqpValue.Symbol(OffsetSpec), "first"));
        AmqpPeer peer = _scene.InSession();
        var source = new Source { Address = address, Dynamic = address is null, Filter = filters };
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, source)));
        Source answer = peer.Next(Attach.DescriptorCode).AsAttach().Source!;
        Assert.NotNull(answer.Address);
        Assert.Null(answer.Filter);
    }

    /// <summary>Without it the receiver would get what it did not choose.</summary>
    [Theory]
    [InlineData("q")]
    [InlineData(null)]
    public void Selector_over_places_in_a_stream_is_refused_where_there_is_none(string? address)
    {
        var filters = new AmqpMap();
        filters.AddSymbol(
            "s", AmqpValue.Described(Descriptors.SelectorFilter, "amqp.annotation.x-opt-offset > '17'"));
        AmqpPeer peer = _scene.InSession();
        var source = new Source { Address = address, Dynamic = address is null, Filter = filters };
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, source)));
        peer.Next(Attach.DescriptorCode);
        AmqpError error = peer.Next(Detach.DescriptorCode).AsDetach().Error!;
        Assert.Equal(AmqpErrorCondition.InvalidField, error.Condition);
        Assert.Contains("amqp.annotation.x-opt-offset > '17'", error.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("color =")]
    [InlineData("'")]
    [InlineData("((((((")]
    public void Selector_that_cannot_be_read_is_refused(string selector)
    {
        var filters = new AmqpMap();
        filters.AddSymbol("s", AmqpValue.Described(Descriptors.SelectorFilter, selector));
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "q", Filter = filters })));
        Assert.Equal($"attach detach({AmqpErrorCondition.InvalidField})", peer.TakeAll());
    }

    [Fact]
    public void Link_is_stolen_by_a_second_connection_of_the_container()
    {
        AmqpPeer first = _scene.InSession();
        first.AttachReceiver(0, "q");
        AmqpPeer second = _scene.InSession();
        Assert.NotNull(second.AttachReceiver(0, "q").Source);
        Assert.Equal($"detach({AmqpErrorCondition.LinkStolen})", first.TakeAll());
        Publish(second, 5, "q", "mine");
        Assert.Equal("transfer", second.Credit(0, 1).TakeAll());
    }

    [Fact]
    public void Link_is_stolen_within_the_connection()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachReceiver(0, "q");
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(1, new Source { Address = "q" }) with { Name = "receiver-0" }));
        Assert.Equal($"detach({AmqpErrorCondition.LinkStolen}) attach", peer.TakeAll());
    }

    [Fact]
    public void Second_connection_of_a_sole_container_is_refused()
    {
        Open open = Steps.Open with { DesiredCapabilities = ["sole-connection-for-container"] };
        AmqpPeer first = _scene.Opened(open);
        AmqpPeer second = _scene.Connect();
        second.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(open)]);
        Assert.Equal($"open close({AmqpErrorCondition.InvalidField})", second.TakeAll());
        first.Send(FrameBytes.Of(new Close()));
        _scene.Opened(open);
    }

    [Fact]
    public void Unsettled_messages_of_a_lost_connection_are_delivered_again_and_counted()
    {
        AmqpPeer lost = _scene.InSession(open: new Open { ContainerId = "lost" });
        Publish(lost, 5, "q", "a");
        lost.AttachReceiver(0, "q");
        Assert.Equal("transfer", lost.Credit(0, 1).TakeAll());
        lost.Cut();
        AmqpPeer peer = _scene.InSession();
        peer.AttachReceiver(0, "q");
        peer.Credit(0, 1);
        peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] message);
        var reader = new AmqpReader(message);
        Assert.Equal(1u, HeaderSection.Read(ref reader).DeliveryCount);
    }

    private static void Subscribe(AmqpPeer peer, uint handle, Source source)
    {
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(handle, source)));
        Assert.NotNull(peer.Next(Attach.DescriptorCode).AsAttach().Source);
    }

    // On a session of its own, so that ids of the test's own links stay simple.
    private static void Publish(AmqpPeer peer, ushort channel, string address, params string[] bodies)
    {
        Attach attach = Steps.SenderAttach(0, address) with { Name = $"p{channel}" };
        peer.Send([.. FrameBytes.Of(Steps.Begin, channel), .. FrameBytes.Of(attach, channel)]);
        foreach ((int id, string body) in bodies.Index())
        {
            peer.Send(FrameBytes.Of(Steps.TransferOf(0, (uint)id), Steps.Message(body), channel));
        }
        peer.Send(FrameBytes.Of(new End(), channel));
        peer.Forget(channel);
    }

    private object? Find(string queue)
    {
        var find = _scene.Broker.Management.FindQueueAsync(Model.Identity.Node, "default", queue);
        for (int i = 0; i < 10 && !find.IsCompleted; i++)
        {
            _scene.Settle();
        }
        return find.GetAwaiter().GetResult();
    }
}
