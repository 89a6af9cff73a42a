using Pillarbox.Broker.Consumers;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>A receiver that comes back with unsettled deliveries (part 2 section 2.6.13).</summary>
public sealed class ResumeReceiverTests : IDisposable
{
    private static readonly AmqpValue Accepted = State(DeliveryState.Accepted);

    private readonly List<AmqpScene> _scenes = [new AmqpScene()];

    private AmqpScene Scene => _scenes[^1];

    public void Dispose()
    {
        foreach (AmqpScene scene in _scenes)
        {
            Assert.Empty(scene.Faults.Errors);
            scene.Dispose();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Outcome_that_was_not_heard_counts_when_the_receiver_comes_back(bool crash)
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one", "two");
        byte[][] tags = TakeAndLose(peer, 2);
        if (crash)
        {
            _scenes.Add(Scene.Crash());
        }

        peer = Scene.InSession();
        Attach answer = AttachAgain(peer, Map((tags[0], Accepted)));
        Assert.Empty(answer.Unsettled!);
        Assert.False(answer.IncompleteUnsettled);
        Assert.Equal(["two"], Bodies(peer.Credit(0, 10)));
        peer.Cut();

        _scenes.Add(Scene.Crash());
        Assert.Equal(["two"], Contents());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Delivery_without_an_outcome_is_sent_again_whole_under_its_tag(bool crash)
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one", "two", "three");
        byte[][] tags = TakeAndLose(peer, 2);
        if (crash)
        {
            _scenes.Add(Scene.Crash());
        }

        peer = Scene.InSession();
        byte[] received = [0x00, 0x53, 0x23, 0xc0, 0x04, 0x02, 0x43, 0x53, 0x05];
        Attach answer = AttachAgain(peer, Map((tags[1], State(received)), (tags[0], AmqpValue.Null)));
        Assert.Equal([tags[1], tags[0]], answer.Unsettled!.Select(entry => entry.Key.AsBinary().ToArray()));
        Assert.All(answer.Unsettled!, entry => Assert.True(entry.Value.IsNull));

        peer.Credit(0, 10);
        ExpectResumed(peer, tags[1], "two");
        ExpectResumed(peer, tags[0], "one");
        Transfer fresh = peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload);
        Assert.Equal((false, "three"), (fresh.Resume, Steps.BodyOf(payload)));
        peer.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver,
            First = 0,
            Last = 2,
            Settled = true,
            State = DeliveryState.Accepted,
        }));
        Assert.Empty(Contents());
    }

    [Fact]
    public void Attach_is_answered_once_the_outcome_is_on_disk()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one");
        byte[][] tags = TakeAndLose(peer, 1);
        peer = Scene.InSession();
        peer.Write(FrameBytes.Of(Again(Map((tags[0], Accepted)))));
        Scene.Scheduler.RunAll();
        Assert.Empty(peer.Frames);
        Scene.Settle();
        Assert.Equal("attach", peer.TakeAll());
    }

    [Fact]
    public void Resumed_deliveries_use_credit_and_wait_for_it()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one", "two");
        byte[][] tags = TakeAndLose(peer, 2);
        peer = Scene.InSession();
        AttachAgain(peer, Map((tags[0], AmqpValue.Null), (tags[1], AmqpValue.Null)));
        Assert.Equal("", peer.TakeAll());
        peer.Credit(0, 1);
        ExpectResumed(peer, tags[0], "one");
        Assert.Equal("", peer.TakeAll());
        peer.Credit(0, 0, deliveryCount: 1, drain: true);
        Assert.Equal("flow", peer.TakeAll());
        peer.Credit(0, 5, deliveryCount: 1, drain: true);
        ExpectResumed(peer, tags[1], "two");
        Assert.Equal((6u, 0u), Counts(peer.Next(Flow.DescriptorCode).AsFlow()));
    }

    [Fact]
    public void Message_of_many_frames_is_resumed_from_its_beginning()
    {
        string body = new('x', 3000);
        AmqpPeer peer = Scene.InSession();
        Publish(peer, body);
        byte[][] tags = TakeAndLose(peer, 1);
        peer = Scene.InSession(open: Steps.Open with { MaxFrameSize = 512 });
        AttachAgain(peer, Map((tags[0], AmqpValue.Null)));
        peer.Credit(0, 1);
        Transfer first = peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] message);
        Assert.Equal((true, true), (first.Resume, first.More));
        while (peer.Frames.Count > 0)
        {
            Assert.False(peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] more).Resume);
            message = [.. message, .. more];
        }

        Assert.Equal(body, Steps.BodyOf(message));
    }

    [Fact]
    public void Rejected_and_modified_take_effect()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "bad", "later", "given back");
        byte[][] tags = TakeAndLose(peer, 3);
        peer = Scene.InSession();
        Attach answer = AttachAgain(peer, Map(
            (tags[0], State(DeliveryState.Rejected)), (tags[1], State(DeliveryState.ModifiedFailed)),
            (tags[2], State(DeliveryState.Released))));
        Assert.Empty(answer.Unsettled!);
        peer.Credit(0, 10);
        Assert.Equal([("later", 1u), ("given back", 1u)], Deliveries(peer));
    }

    [Fact]
    public void What_another_consumer_has_is_not_the_receivers_any_more()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one");
        byte[][] tags = TakeAndLose(peer, 1);
        AmqpPeer other = Scene.InSession(open: Steps.Open with { ContainerId = "other" });
        other.AttachReceiver(1, "q");
        Assert.Equal("transfer", other.Credit(1, 1).TakeAll());

        peer = Scene.InSession();
        Assert.Empty(AttachAgain(peer, Map((tags[0], Accepted))).Unsettled!);
        other.Cut();
        Assert.Equal("transfer", peer.Credit(0, 1).TakeAll());
    }

    [Fact]
    public void Incomplete_map_of_the_receiver_holds_new_deliveries_back()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one", "two");
        byte[][] tags = TakeAndLose(peer, 1);
        peer = Scene.InSession();
        AttachAgain(peer, Map((tags[0], AmqpValue.Null)), isIncomplete: true);
        peer.Credit(0, 10, drain: true);
        ExpectResumed(peer, tags[0], "one");
        Assert.Equal("flow", peer.TakeAll());
    }

    [Fact]
    public void Map_that_does_not_fit_into_a_frame_is_incomplete_and_the_rest_goes_back()
    {
        const int Count = 20;
        AmqpPeer peer = Scene.InSession();
        Publish(peer, [.. Enumerable.Range(0, Count).Select(i => $"m{i}")]);
        byte[][] tags = TakeAndLose(peer, Count);
        peer = Scene.InSession(open: Steps.Open with { MaxFrameSize = 512 });
        Attach answer = AttachAgain(peer, Map([.. tags.Select(tag => (tag, AmqpValue.Null))]));
        Assert.True(answer.IncompleteUnsettled);
        int named = answer.Unsettled!.Count;
        Assert.InRange(named, 1, Count - 1);
        peer.Credit(0, Count);
        int resumed = peer.Frames.Count(frame => frame.AsTransfer(out _).Resume);
        Assert.Equal((named, Count), (resumed, peer.Frames.Count));
    }

    /// <summary>Else a tag of another node, with the same place in its log, would settle a message that nobody
    /// got.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(24)]
    public void Tag_of_another_node_or_message_settles_nothing(int changed)
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one");
        byte[] tag = Assert.Single(TakeAndLose(peer, 1));
        Assert.Equal(DeliveryName.Bytes, tag.Length);
        tag[changed] ^= 1;
        peer = Scene.InSession();
        Assert.Empty(AttachAgain(peer, Map((tag, Accepted), ([1, 2, 3, 4], Accepted))).Unsettled!);
        Assert.Equal(["one"], Bodies(peer.Credit(0, 1)));
    }

    [Fact]
    public void Message_that_is_not_durable_is_known_for_one_run()
    {
        AmqpPeer peer = Scene.InSession();
        peer.AttachSender(9, "q");
        peer.Transfer(9, 0, Steps.Message("one", durable: false));
        peer.TakeAll();
        byte[][] tags = TakeAndLose(peer, 1);
        peer = Scene.InSession();
        AttachAgain(peer, Map((tags[0], Accepted)));
        Assert.Equal("", peer.Credit(0, 1).TakeAll());

        _scenes.Add(Scene.Crash());
        peer = Scene.InSession();
        Publish(peer, "two");
        Assert.Empty(AttachAgain(peer, Map((tags[0], Accepted))).Unsettled!);
        Assert.Equal(["two"], Bodies(peer.Credit(0, 1)));
    }

    [Fact]
    public void Unreadable_state_refuses_the_attach_and_loses_nothing()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one");
        byte[][] tags = TakeAndLose(peer, 1);
        peer = Scene.InSession();
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Address = "q" }) with
        {
            Unsettled = Map((tags[0], AmqpValue.Described(Rejected.DescriptorCode, AmqpValue.List(7)))),
        }));
        Assert.DoesNotContain("transfer", peer.TakeAll(), StringComparison.Ordinal);
        Assert.Equal(["one"], Contents());
    }

    [Fact]
    public void Link_is_stolen_while_its_attach_waits()
    {
        AmqpPeer peer = Scene.InSession();
        Publish(peer, "one");
        byte[][] tags = TakeAndLose(peer, 1);
        peer = Scene.InSession();
        AmqpPeer thief = Scene.InSession();
        peer.Write(FrameBytes.Of(Again(Map((tags[0], Accepted)))));
        thief.Write(FrameBytes.Of(Again(Map((tags[0], AmqpValue.Null)))));
        Scene.Settle();
        Assert.Equal($"attach detach({AmqpErrorCondition.LinkStolen})", peer.TakeAll());
        Assert.Empty(thief.Next(Attach.DescriptorCode).AsAttach().Unsettled!);
    }

    private static AmqpValue State(ReadOnlySpan<byte> encoded) => AmqpValue.FromEncoded(encoded);

    private static AmqpMap Map(params (byte[] Tag, AmqpValue State)[] entries)
    {
        var map = new AmqpMap();
        foreach ((byte[] tag, AmqpValue state) in entries)
        {
            map.Add(tag, state);
        }

        return map;
    }

    private static Attach Again(AmqpMap unsettled, bool isIncomplete = false) =>
        Steps.ReceiverAttach(0, new Source { Address = "q" }) with
        {
            Unsettled = unsettled,
            IncompleteUnsettled = isIncomplete,
        };

    private static Attach AttachAgain(AmqpPeer peer, AmqpMap unsettled, bool isIncomplete = false)
    {
        peer.Send(FrameBytes.Of(Again(unsettled, isIncomplete)));
        return peer.Next(Attach.DescriptorCode).AsAttach();
    }

    private static void Publish(AmqpPeer peer, params string[] bodies)
    {
        peer.AttachSender(9, "q");
        foreach ((int id, string body) in bodies.Index())
        {
            peer.Transfer(9, (uint)id, Steps.Message(body));
        }

        peer.TakeAll();
    }

    // A first life of the receiver: it gets so many, says nothing, and its connection breaks.
    private static byte[][] TakeAndLose(AmqpPeer peer, uint count)
    {
        AttachAgain(peer, Map());
        peer.Credit(0, count);
        byte[][] tags = [.. peer.Frames
            .Where(frame => frame.Descriptor == Transfer.DescriptorCode)
            .Select(frame => frame.AsTransfer(out _).DeliveryTag.ToArray())
            .Where(tag => tag.Length > 0)];
        Assert.Equal((int)count, tags.Length);
        peer.Cut();
        return tags;
    }

    private static void ExpectResumed(AmqpPeer peer, byte[] tag, string body)
    {
        Transfer transfer = peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload);
        Assert.True(transfer.Resume);
        Assert.Equal(tag, transfer.DeliveryTag.ToArray());
        Received from = DeliveryState.ReadReceived(transfer.State);
        Assert.Equal((0u, 0ul), (from.SectionNumber, from.SectionOffset));
        Assert.Equal(body, Steps.BodyOf(payload));
    }

    private static (uint? DeliveryCount, uint? Credit) Counts(in Flow flow) => (flow.DeliveryCount, flow.LinkCredit);

    private static string[] Bodies(AmqpPeer peer) => [.. Deliveries(peer).Select(delivery => delivery.Body)];

    private static (string Body, uint Attempts)[] Deliveries(AmqpPeer peer) =>
        [.. peer.Frames.Where(frame => frame.Descriptor == Transfer.DescriptorCode).Select(frame =>
        {
            frame.AsTransfer(out byte[] payload);
            var reader = new AmqpReader(payload);
            return (Steps.BodyOf(payload), HeaderSection.Read(ref reader).DeliveryCount);
        })];

    private string[] Contents()
    {
        AmqpPeer reader = Scene.InSession(open: Steps.Open with { ContainerId = "reader" });
        reader.AttachReceiver(1, "q", SenderSettleMode.Settled);
        return Bodies(reader.Credit(1, 100));
    }
}
