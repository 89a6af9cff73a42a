using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Messages that are delivered not before a time: the annotations of JMS's delivery delay.</summary>
public sealed class DelayTests : IDisposable
{
    private const long DelayMs = 5_000;

    private readonly List<AmqpScene> _scenes = [new AmqpScene()];

    private AmqpScene Scene => _scenes[^1];

    private long NowMs => Scene.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public void Dispose()
    {
        foreach (AmqpScene scene in _scenes)
        {
            Assert.Empty(scene.Faults.Errors);
            scene.Dispose();
        }
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Message_waits_for_its_time_and_others_go_before_it(bool time, bool delay)
    {
        AmqpPeer peer = Scene.InSession();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 10);
        peer.AttachSender(0, "q");
        // The time wins.
        long other = delay && time ? DelayMs * 7 : DelayMs;
        peer.Transfer(0, 0, Message("late", time ? NowMs + DelayMs : null, delay ? other : null));
        peer.Transfer(0, 1, Steps.Message("now"));
        Assert.Equal(["now"], Bodies(peer));

        Scene.Advance(DelayMs - 500);
        Assert.Empty(Bodies(peer));
        Scene.Advance(1_000);
        Assert.Equal(["late"], Bodies(peer));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Delay_goes_on_over_a_crash(bool durable)
    {
        AmqpPeer peer = Scene.InSession();
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, Message("late", NowMs + DelayMs, null, durable));
        peer.TakeAll();
        Scene.Advance(1_000);
        _scenes.Add(Scene.Crash());
        Scene.Advance(1_000);

        peer = Scene.InSession();
        peer.AttachReceiver(1, "q");
        Assert.Empty(Bodies(peer.Credit(1, 10)));
        Scene.Advance(DelayMs);
        Assert.Equal(durable ? ["late"] : [], Bodies(peer));
    }

    [Fact]
    public void Time_that_is_over_delays_nothing()
    {
        AmqpPeer peer = Scene.InSession();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 10);
        peer.AttachSender(0, "q");
        peer.Transfer(0, 0, Message("a", NowMs - 1, null));
        peer.Transfer(0, 1, Message("b", null, -5));
        peer.Transfer(0, 2, Message("c", long.MinValue, long.MaxValue));
        Assert.Equal(["a", "b", "c"], Bodies(peer));
        peer.Transfer(0, 3, Message("never", null, long.MaxValue));
        Assert.Empty(Bodies(peer));
    }

    [Fact]
    public void Delayed_delivery_is_offered_to_a_sender_that_desires_it()
    {
        AmqpPeer peer = Scene.InSession();
        peer.Send(FrameBytes.Of(Steps.SenderAttach(0, "q") with { DesiredCapabilities = ["DELAYED_DELIVERY", "x"] }));
        Assert.Equal(["DELAYED_DELIVERY"], peer.Next(Attach.DescriptorCode).AsAttach().OfferedCapabilities!);
    }

    private static byte[] Message(string body, long? timeMs, long? delayMs, bool durable = true)
    {
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-other", "text");
        if (delayMs is { } delay)
        {
            annotations.AddSymbol("x-opt-delivery-delay", AmqpValue.Long(delay));
        }

        if (timeMs is { } time)
        {
            annotations.AddSymbol("x-opt-delivery-time", AmqpValue.Long(time));
        }

        byte[] plain = Steps.Message(body, durable);
        int header = durable ? 7 : 0;
        AmqpValue section = AmqpValue.Described(Descriptors.MessageAnnotations, AmqpValue.Map(annotations));
        return [.. plain[..header], .. section.ToEncoded(), .. plain[header..]];
    }

    private static string[] Bodies(AmqpPeer peer)
    {
        string[] bodies = [.. peer.Frames.Where(frame => frame.Descriptor == Transfer.DescriptorCode).Select(frame =>
        {
            frame.AsTransfer(out byte[] payload);
            return Steps.BodyOf(payload);
        })];
        peer.TakeAll();
        return bodies;
    }
}
