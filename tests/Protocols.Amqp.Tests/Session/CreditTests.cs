using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Link credit, drain, echo and session windows (part 2 sections 2.5.6 and 2.6.7).</summary>
public sealed class CreditTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData(0u, 0)]
    [InlineData(1u, 1)]
    [InlineData(3u, 3)]
    [InlineData(9u, 5)]
    [InlineData(uint.MaxValue, 5)]
    public void Only_as_many_come_as_there_is_credit(uint credit, int expected)
    {
        AmqpPeer peer = WithMessages(5);
        peer.Credit(1, credit);
        Assert.Equal(expected, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
    }

    [Fact]
    public void Credit_counts_from_the_peers_delivery_count()
    {
        AmqpPeer peer = WithMessages(5);
        peer.Credit(1, 2);
        Assert.Equal("transfer transfer", peer.TakeAll());
        peer.Credit(1, 3, deliveryCount: 0);
        Assert.Equal("transfer", peer.TakeAll());
        peer.Credit(1, 3, deliveryCount: 3);
        Assert.Equal("transfer transfer", peer.TakeAll());
    }

    [Fact]
    public void Drain_uses_or_gives_back_all_credit()
    {
        AmqpPeer peer = WithMessages(3);
        peer.Credit(1, 10, drain: true);
        for (int i = 0; i < 3; i++)
        {
            peer.Next(Transfer.DescriptorCode);
        }
        Flow flow = peer.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((10u, 0u, true), (flow.DeliveryCount, flow.LinkCredit, flow.Drain));
        peer.Send(FrameBytes.Of(Steps.TransferOf(0, 3), Steps.Message("late")));
        Assert.Equal("disposition", peer.TakeAll());
        peer.Credit(1, 1, deliveryCount: 10);
        Assert.Equal("transfer", peer.TakeAll());
    }

    [Fact]
    public void Drain_of_more_than_the_prefetch_delivers_everything_there_is()
    {
        using var scene = new AmqpScene(new AmqpOptions { LinkPrefetchMax = 4 });
        AmqpPeer peer = WithMessages(50, scene);
        peer.Credit(1, 100, drain: true);
        Assert.Equal(50, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
        Flow flow = peer.Frames[^1].AsFlow();
        Assert.Equal((100u, 0u), (flow.DeliveryCount, flow.LinkCredit));
    }

    [Fact]
    public void Drain_without_credit_is_answered_at_once()
    {
        AmqpPeer peer = WithMessages(1);
        peer.Credit(1, 0, drain: true);
        Flow flow = peer.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((0u, 0u), (flow.DeliveryCount, flow.LinkCredit));
    }

    [Fact]
    public void Credit_that_is_taken_back_frees_the_messages_for_others()
    {
        using var scene = new AmqpScene();
        AmqpPeer peer = WithMessages(0, scene);
        peer.Credit(1, 10);
        peer.Credit(1, 0);
        peer.TakeAll();
        for (uint i = 0; i < 3; i++)
        {
            peer.Transfer(0, i, Steps.Message($"{i}"));
        }
        Assert.DoesNotContain("transfer", peer.TakeAll(), StringComparison.Ordinal);
        peer.AttachReceiver(2, "q");
        peer.Credit(2, 10);
        Assert.Equal(3, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
        Assert.Empty(scene.Faults.Errors);
    }

    [Fact]
    public void Echo_is_answered_for_session_and_link()
    {
        AmqpPeer peer = WithMessages(0);
        peer.Send(FrameBytes.Of(new Flow { IncomingWindow = 5, NextOutgoingId = 0, OutgoingWindow = 5, Echo = true }));
        Flow session = peer.Next(Flow.DescriptorCode).AsFlow();
        Assert.Null(session.Handle);
        Assert.Equal(2048u, session.IncomingWindow);
        peer.Send(FrameBytes.Of(new Flow
        {
            IncomingWindow = 5,
            NextOutgoingId = 0,
            OutgoingWindow = 5,
            Handle = 1,
            LinkCredit = 2,
            DeliveryCount = 0,
            Echo = true,
        }));
        Flow link = peer.Next(Flow.DescriptorCode).AsFlow();
        Assert.Equal((1u, 2u), (link.Handle, link.LinkCredit));
    }

    [Fact]
    public void Session_window_of_the_peer_holds_transfers_back()
    {
        AmqpPeer peer = WithMessages(5, begin: Steps.Begin with { IncomingWindow = 2 });
        peer.Send(FrameBytes.Of(CreditWithWindow(window: 2, next: 0)));
        Assert.Equal("transfer transfer", peer.TakeAll());
        peer.Send(FrameBytes.Of(CreditWithWindow(window: 1, next: 2)));
        Assert.Equal("transfer", peer.TakeAll());
        peer.Send(FrameBytes.Of(CreditWithWindow(window: 100, next: 3)));
        Assert.Equal("transfer transfer", peer.TakeAll());
    }

    /// <summary>The delivery under way uses up what is not there any more; nothing comes behind it.</summary>
    [Fact]
    public void Credit_that_is_taken_back_during_a_delivery_is_none()
    {
        AmqpPeer peer = WithMessages(0, begin: Steps.Begin with { IncomingWindow = 2 });
        byte[] message = Steps.Message(new string('y', 300_000));
        for (int at = 0; at < message.Length; at += 50_000)
        {
            bool more = at + 50_000 < message.Length;
            peer.Transfer(0, 0, message.AsSpan(at, Math.Min(50_000, message.Length - at)), more: more);
        }
        peer.Transfer(0, 1, Steps.Message("second"));
        peer.Transfer(0, 2, Steps.Message("third"));
        peer.TakeAll();
        Flow flow = CreditWithWindow(window: 1, next: 0);
        peer.Send(FrameBytes.Of(flow));
        Assert.True(peer.Next(Transfer.DescriptorCode).AsTransfer(out _).More);
        peer.Send(FrameBytes.Of(flow with { LinkCredit = 0, NextIncomingId = 1, IncomingWindow = 1000 }));
        int whole = 0;
        while (peer.Frames.Any(f => f.Descriptor == Transfer.DescriptorCode))
        {
            whole += peer.Next(Transfer.DescriptorCode).AsTransfer(out _).More ? 0 : 1;
        }
        Assert.Equal(1, whole);
    }

    [Fact]
    public void Incoming_window_opens_again_before_it_is_used_up()
    {
        using var scene = new AmqpScene(new AmqpOptions { IncomingWindow = 8 });
        AmqpPeer peer = scene.InSession();
        peer.AttachSender(0, "q");
        int windows = 0;
        for (uint id = 0; id < 40; id++)
        {
            peer.Transfer(0, id, Steps.Message("x"));
            windows += peer.Frames.Count(f => f.Descriptor == Flow.DescriptorCode);
            Assert.DoesNotContain("end", peer.TakeAll(), StringComparison.Ordinal);
        }
        Assert.True(windows >= 40 / 8, $"{windows} flows");
    }

    [Fact]
    public void Transfers_beyond_the_window_end_the_session()
    {
        using var scene = new AmqpScene(new AmqpOptions { IncomingWindow = 2 });
        AmqpPeer peer = scene.InSession();
        peer.AttachSender(0, "q");
        byte[] transfer = FrameBytes.Of(Steps.TransferOf(0, 0, more: true), [0]);
        peer.Send([.. transfer, .. transfer, .. transfer]);
        Assert.Equal($"end({AmqpErrorCondition.SessionWindowViolation})", peer.TakeAll());
    }

    [Fact]
    public void Transfer_without_credit_detaches_the_link()
    {
        using var scene = new AmqpScene(configure: options => options with { ProducerCredit = 2 });
        AmqpPeer peer = scene.InSession();
        Assert.Equal(2u, peer.AttachSender(0, "q"));
        byte[] message = Steps.Message("x");
        peer.Send([.. Enumerable.Range(0, 3).SelectMany(i => FrameBytes.Of(Steps.TransferOf(0, (uint)i), message))]);
        Assert.Contains(
            $"detach({AmqpErrorCondition.LinkTransferLimitExceeded})", peer.TakeAll(), StringComparison.Ordinal);
    }

    [Fact]
    public void Producer_credit_comes_back_as_publishes_complete()
    {
        using var scene = new AmqpScene(configure: options => options with { ProducerCredit = 4 });
        AmqpPeer peer = scene.InSession();
        uint credit = peer.AttachSender(0, "q");
        uint count = 0;
        for (uint id = 0; id < 50; id++)
        {
            Assert.True(credit > 0);
            peer.Transfer(0, id, Steps.Message("x"));
            count++;
            credit--;
            foreach (ReceivedFrame frame in peer.Frames.Where(f => f.Descriptor == Flow.DescriptorCode))
            {
                credit = frame.AsFlow().DeliveryCount!.Value + frame.AsFlow().LinkCredit!.Value - count;
            }
            peer.TakeAll();
        }
    }

    [Fact]
    public void Unsettled_deliveries_are_bounded_per_session()
    {
        using var scene = new AmqpScene(new AmqpOptions { UnsettledMax = 3 });
        AmqpPeer peer = WithMessages(10, scene);
        peer.Credit(1, 10);
        Assert.Equal("transfer transfer transfer", peer.TakeAll());
        peer.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver,
            First = 0,
            Last = 1,
            Settled = true,
            State = DeliveryState.Accepted,
        }));
        Assert.Equal("transfer transfer", peer.TakeAll());
    }

    [Fact]
    public void Peer_that_does_not_read_costs_bounded_memory()
    {
        var options = new AmqpOptions { OutputBytesPerPass = 8 << 10, OutputBytesMax = 64 << 10 };
        using var scene = new AmqpScene(options);
        AmqpPeer peer = WithMessages(0, scene);
        peer.Reads = false;
        byte[] echo = FrameBytes.Of(
            new Flow { IncomingWindow = 5, NextOutgoingId = 0, OutgoingWindow = 5, Echo = true });
        byte[] many = [.. Enumerable.Range(0, 1000).SelectMany(_ => echo)];
        for (int i = 0; i < 50; i++)
        {
            peer.Send(many);
        }
        peer.Reads = true;
        Assert.Equal(50_000, peer.Frames.Count(f => f.Descriptor == Flow.DescriptorCode));
        Assert.False(peer.IsEnded);
    }

    // The loop does not run in circles until the peer reads.
    [Fact]
    public void Peer_that_does_not_read_and_says_no_more_is_waited_for()
    {
        var options = new AmqpOptions { OutputBytesPerPass = 8 << 10, OutputBytesMax = 64 << 10 };
        using var scene = new AmqpScene(options);
        AmqpPeer peer = WithMessages(0, scene);
        peer.Reads = false;
        byte[] echo = FrameBytes.Of(
            new Flow { IncomingWindow = 5, NextOutgoingId = 0, OutgoingWindow = 5, Echo = true });
        byte[] many = [.. Enumerable.Range(0, 1000).SelectMany(_ => echo)];
        for (int i = 0; i < 50; i++)
        {
            peer.Send(many);
        }
        peer.Cut();
        Assert.False(peer.IsEnded);
        peer.Reads = true;
        for (int i = 0; i < 100 && !peer.IsEnded; i++)
        {
            Assert.DoesNotContain(peer.Frames, f => f.Descriptor == Close.DescriptorCode);
            peer.TakeAll();
            scene.Settle();
        }
        Assert.True(peer.IsEnded);
    }

    private static Flow CreditWithWindow(uint window, uint next) => new()
    {
        NextIncomingId = next,
        IncomingWindow = window,
        NextOutgoingId = 5,
        OutgoingWindow = 100,
        Handle = 1,
        DeliveryCount = next,
        LinkCredit = 100,
    };

    // A session with a sender on handle 0, `count` messages in the queue and a receiver without credit on handle 1.
    private AmqpPeer WithMessages(int count, AmqpScene? scene = null, Begin? begin = null)
    {
        AmqpPeer peer = (scene ?? _scene).InSession(begin);
        peer.AttachSender(0, "q");
        for (int i = 0; i < count; i++)
        {
            peer.Transfer(0, (uint)i, Steps.Message($"{i}"));
        }
        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        return peer;
    }
}
