using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>What is left of an attach that is refused: nothing. What fits into the frames of a small peer.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    /// <summary>A queue whose filter cannot be read was journaled before it was refused, and kept the node from
    /// starting.</summary>
    [Theory]
    [InlineData("color = ")]
    [InlineData(7)]
    public void Subscription_with_a_broken_selector_is_refused_and_leaves_nothing(object selector)
    {
        AmqpPeer peer = _scene.InSession();
        Refused(peer, Steps.ReceiverAttach(0, Durable(Filter(selector))));
        Assert.Empty(_scene.QueueNames);

        using AmqpScene again = _scene.Crash();
        Assert.Empty(again.Faults.Errors);
        again.InSession().AttachReceiver(0, "q");
    }

    /// <summary>The old one was deleted before the new one was looked at.</summary>
    [Fact]
    public void Subscription_stays_with_its_messages_when_a_new_selector_is_broken()
    {
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, Durable(null))));
        peer.Send(FrameBytes.Of(new Detach { Handle = 0 }));
        peer.TakeAll();
        peer.AttachSender(1, "topic://news");
        peer.Transfer(1, 0, Steps.Message("kept"));
        peer.TakeAll();

        Refused(peer, Steps.ReceiverAttach(2, Durable(Filter("color = "))) with { Name = "receiver-0" });
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(3, Durable(null)) with { Name = "receiver-0" }));
        Assert.NotNull(peer.Next(Attach.DescriptorCode).AsAttach().Source);
        Assert.Equal("transfer", peer.Credit(3, 5).TakeAll());
    }

    [Theory]
    [InlineData("color = ")]
    [InlineData(7)]
    public void Dynamic_source_with_a_broken_selector_leaves_no_node(object selector)
    {
        AmqpPeer peer = _scene.InSession();
        Refused(peer, Steps.ReceiverAttach(0, new Source { Dynamic = true, Filter = Filter(selector) }));
        Assert.Empty(_scene.QueueNames);
    }

    [Fact]
    public void Queue_is_not_made_for_a_broken_selector()
    {
        AmqpPeer peer = _scene.InSession();
        Refused(peer, Steps.ReceiverAttach(0, new Source { Address = "q", Filter = Filter("color = ") }));
        Assert.Empty(_scene.QueueNames);
    }

    /// <summary>Found by fuzzing: what waited for the end of the pass came behind the end of its session.</summary>
    [Fact]
    public void Dispositions_that_wait_come_before_the_end_of_their_session()
    {
        AmqpPeer peer = _scene.InSession();
        peer.AttachSender(0, "q");
        peer.Write(FrameBytes.Of(
            Steps.TransferOf(0, 0) with { Resume = true, State = DeliveryState.Accepted }, Steps.Message("a")));
        peer.Write(FrameBytes.Of(Steps.SenderAttach(0, "q")));
        _scene.Settle();
        Assert.Equal($"disposition end({AmqpErrorCondition.SessionHandleInUse})", peer.TakeAll());
    }

    [Fact]
    public void Text_of_an_error_goes_when_it_does_not_fit_into_the_peers_frames()
    {
        AmqpPeer peer = _scene.InSession(open: Steps.Open with { MaxFrameSize = 512 });
        Attach attach = Steps.ReceiverAttach(0, new Source
        {
            Address = "topic://" + new string('a', 600),
            Capabilities = ["queue"],
        });
        peer.Send(FrameBytes.Of(attach));
        peer.Next(Attach.DescriptorCode);
        ReceivedFrame detach = peer.Next(Detach.DescriptorCode);
        Assert.InRange(detach.Header.Size, 1u, 512u);
        Assert.NotNull(detach.AsDetach().Error);
    }

    [Fact]
    public void Answer_that_does_not_fit_into_the_peers_frames_is_an_error()
    {
        AmqpPeer peer = _scene.InSession(open: Steps.Open with { MaxFrameSize = 512 });
        Attach attach = Steps.ReceiverAttach(0, new Source { Address = "q" }) with
        {
            Target = new Target { Address = new string('t', 500) },
        };
        peer.Send(FrameBytes.Of(attach));
        Assert.Equal($"close({AmqpErrorCondition.FrameSizeTooSmall})", peer.TakeAll());
    }

    private static Source Durable(AmqpMap? filter) => new()
    {
        Address = "news",
        Capabilities = ["topic"],
        Durable = TerminusDurability.UnsettledState,
        ExpiryPolicy = TerminusExpiryPolicy.Never,
        Filter = filter,
    };

    private static AmqpMap Filter(object selector)
    {
        var filter = new AmqpMap();
        AmqpValue value = selector is string text ? text : (int)selector;
        filter.AddSymbol("selector", AmqpValue.Described(Descriptors.SelectorFilter, value));
        return filter;
    }

    private static void Refused(AmqpPeer peer, Attach attach)
    {
        peer.Send(FrameBytes.Of(attach));
        Assert.Null(peer.Next(Attach.DescriptorCode).AsAttach().Source);
        Assert.Equal($"detach({AmqpErrorCondition.InvalidField})", peer.TakeAll());
        peer.Send(FrameBytes.Of(new Detach { Handle = attach.Handle, Closed = true }));
    }

}
