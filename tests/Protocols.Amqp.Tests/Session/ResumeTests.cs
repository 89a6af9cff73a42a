using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>A sender that comes back with unsettled deliveries (part 2 section 2.6.13).</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Fact]
    public void Accepted_delivery_is_named_to_the_sender_that_comes_back_and_not_stored_again()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        Assert.Equal(0u, peer.Next(Disposition.DescriptorCode).AsDisposition().First);
        peer.Cut();

        peer = _scene.InSession();
        Attach answer = AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0, 1));
        Assert.Equal(Tag(0), Assert.Single(answer.Unsettled!).Key);
        Assert.Equal(Accepted.DescriptorCode, answer.Unsettled![0].Value.DescriptorCode);
        Assert.False(answer.IncompleteUnsettled);

        peer.Send(FrameBytes.Of(
            Steps.TransferOf(0, 0, settled: true) with { Resume = true, State = DeliveryState.Accepted }, []));
        Assert.DoesNotContain("disposition", peer.TakeAll(), StringComparison.Ordinal);
        peer.Transfer(0, 1, Steps.Message("two"));
        Assert.Equal(1u, peer.Next(Disposition.DescriptorCode).AsDisposition().First);
        Assert.Equal(["one", "two"], Contents());
    }

    [Fact]
    public void Resumed_delivery_that_is_on_disk_is_accepted_in_any_number_of_frames()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        peer.Cut();

        peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0));
        peer.Send(FrameBytes.Of(
            Steps.TransferOf(0, 0, more: true) with { Resume = true }, Steps.Message("one").AsSpan(..9)));
        peer.Send(FrameBytes.Of(new Transfer { Handle = 0 }, Steps.Message("one").AsSpan(9..)));
        ExpectAccepted(peer, 0, isSettled: false);
        Assert.Equal(["one"], Contents());
    }

    [Fact]
    public void Settled_tag_may_name_another_delivery()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        peer.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Sender,
            First = 0,
            Settled = true,
            State = DeliveryState.Accepted,
        }));
        peer.Cut();

        // The sender used the tag again, and that transfer never came.
        peer = _scene.InSession();
        Assert.Empty(AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0)).Unsettled!);
        peer.Transfer(0, 0, Steps.Message("another"));
        Assert.Equal(["one", "another"], Contents());
    }

    [Fact]
    public void Tag_that_the_sender_does_not_name_any_more_is_forgotten()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        peer.Cut();
        peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Cut();
        peer = _scene.InSession();
        Assert.Empty(AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0)).Unsettled!);
    }

    [Fact]
    public void Incomplete_map_of_the_sender_settles_nothing()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        peer.Cut();
        peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(7), isIncomplete: true);
        peer.Cut();
        peer = _scene.InSession();
        Assert.Single(AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0)).Unsettled!);
    }

    [Fact]
    public void Map_that_does_not_fit_into_a_frame_is_incomplete_and_new_deliveries_are_refused_then()
    {
        const int Count = 40;
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        for (uint id = 0; id < Count; id++)
        {
            peer.Transfer(0, id, Steps.Message("x"));
        }

        peer.Cut();
        peer = _scene.InSession(open: Steps.Open with { MaxFrameSize = 512 });
        uint[] ids = [.. Enumerable.Range(0, Count).Select(id => (uint)id)];
        Attach answer = AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(ids));
        Assert.True(answer.IncompleteUnsettled);
        Assert.InRange(answer.Unsettled!.Count, 1, Count - 1);
        peer.Transfer(0, Count, Steps.Message("new"));
        Assert.Equal(AmqpErrorCondition.NotAllowed, peer.Next(Detach.DescriptorCode).AsDetach().Error!.Condition);
    }

    [Theory]
    [InlineData("one", 1)]
    [InlineData("another", 2)]
    public void Sender_whose_receiver_settles_first_is_known_by_tag_and_bytes(string resumed, int stored)
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.First, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        peer.Cut();

        peer = _scene.InSession();
        Assert.Empty(AttachAgain(peer, ReceiverSettleMode.First, Unsettled(0)).Unsettled!);
        peer.Send(FrameBytes.Of(Steps.TransferOf(0, 0) with { Resume = true }, Steps.Message(resumed)));
        ExpectAccepted(peer, 0, isSettled: true);
        Assert.Equal(stored, Contents().Length);
    }

    [Fact]
    public void Unknown_resumed_delivery_is_taken_for_a_new_one()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.First, unsettled: null);
        peer.Send(FrameBytes.Of(
            Steps.TransferOf(0, 0, more: true) with { Resume = true }, Steps.Message("again").AsSpan(..9)));
        peer.Send(FrameBytes.Of(new Transfer { Handle = 0 }, Steps.Message("again").AsSpan(9..)));
        ExpectAccepted(peer, 0, isSettled: true);
        Assert.Equal(["again"], Contents());
    }

    [Fact]
    public void Aborted_resumed_delivery_leaves_the_link_usable()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(5));
        peer.Send(FrameBytes.Of(Steps.TransferOf(0, 0) with { Resume = true, Aborted = true }, []));
        Assert.DoesNotContain("disposition", peer.TakeAll(), StringComparison.Ordinal);
        peer.Transfer(0, 1, Steps.Message("one"));
        Assert.Equal(["one"], Contents());
    }

    [Fact]
    public void Closed_link_forgets_and_a_detached_one_until_its_time_is_over()
    {
        AmqpPeer peer = _scene.InSession();
        AttachAgain(peer, ReceiverSettleMode.Second, Unsettled());
        peer.Transfer(0, 0, Steps.Message("one"));
        peer.Send(FrameBytes.Of(new Detach { Handle = 0 }));
        peer.TakeAll();
        Assert.Single(AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0)).Unsettled!);
        peer.Send(FrameBytes.Of(new Detach { Handle = 0, Closed = true }));
        peer.TakeAll();
        Assert.Empty(AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(0)).Unsettled!);

        peer.Transfer(0, 1, Steps.Message("two"));
        peer.Cut();
        _scene.Advance(new AmqpOptions().SuspendedLinkTimeoutMs);
        peer = _scene.InSession();
        Assert.Empty(AttachAgain(peer, ReceiverSettleMode.Second, Unsettled(1)).Unsettled!);
    }

    [Fact]
    public void Tag_that_is_used_again_and_again_is_not_forgotten_for_its_former_uses()
    {
        var memory = new RememberedDeliveries(capacity: 4);
        var again = TagValue.Of("again"u8);
        for (int i = 0; i < 4; i++)
        {
            memory.Forget(again);
            memory.Add(again, TakenDelivery.OfLarge);
        }

        memory.Add(TagValue.Of("a"u8), TakenDelivery.OfLarge);
        memory.Add(TagValue.Of("b"u8), TakenDelivery.OfLarge);
        Assert.True(memory.TryGet(again, out _));
        memory.Add(TagValue.Of("c"u8), TakenDelivery.OfLarge);
        memory.Add(TagValue.Of("d"u8), TakenDelivery.OfLarge);
        Assert.False(memory.TryGet(again, out _));
        Assert.Equal(4, memory.Count);
    }

    [Fact]
    public void Deliveries_that_the_sender_does_not_settle_are_noted_up_to_a_limit()
    {
        var pending = new PendingTags(capacity: 3);
        for (uint id = 0; id < 100; id++)
        {
            pending.Add(id, new PendingTag(TagValue.Of(BitConverter.GetBytes(id)), default));
        }

        Assert.Equal(3, pending.Count);
        Assert.Equal(TagValue.Of(BitConverter.GetBytes(1u)), Assert.Single(pending.Take(1, 1)));
        Assert.Equal(2, pending.Take(uint.MaxValue - 5, 200).Count());
        Assert.Equal(0, pending.Count);
    }

    private static AmqpValue Tag(uint id) => AmqpValue.Binary(BitConverter.GetBytes(id));

    private static AmqpMap Unsettled(params uint[] ids)
    {
        var map = new AmqpMap();
        foreach (uint id in ids)
        {
            map.Add(Tag(id), AmqpValue.Null);
        }

        return map;
    }

    private static Attach AttachAgain(
        AmqpPeer peer, ReceiverSettleMode mode, AmqpMap? unsettled, bool isIncomplete = false)
    {
        peer.Send(FrameBytes.Of(Steps.SenderAttach(0, "q") with
        {
            ReceiverSettleMode = mode,
            Unsettled = unsettled,
            IncompleteUnsettled = isIncomplete,
        }));
        Attach answer = peer.Next(Attach.DescriptorCode).AsAttach();
        peer.Next(Flow.DescriptorCode);
        return answer;
    }

    private static void ExpectAccepted(AmqpPeer peer, uint id, bool isSettled)
    {
        Disposition answer = peer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(
            (id, isSettled, DeliveryStateKind.Accepted),
            (answer.First, answer.Settled, DeliveryState.KindOf(answer.State)));
    }

    private string[] Contents()
    {
        AmqpPeer reader = _scene.InSession(open: Steps.Open with { ContainerId = "reader" });
        reader.AttachReceiver(1, "q", SenderSettleMode.Settled);
        reader.Credit(1, 100);
        return [.. reader.Frames.Where(frame => frame.Descriptor == Transfer.DescriptorCode).Select(BodyOf)];
    }

    private static string BodyOf(ReceivedFrame frame)
    {
        frame.AsTransfer(out byte[] payload);
        return Steps.BodyOf(payload);
    }
}
