using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Peers and disks that are slower than what comes.</summary>
public sealed class BackpressureTests
{
    private const int Messages = 100;
    private const int MessageBytes = 50_000;

    [Fact]
    public void Input_waits_for_a_disk_that_is_behind_and_goes_on_by_itself()
    {
        using var scene = new AmqpScene(configure: options => options with
        {
            PendingBytesMax = 500_000,
            StalledBytesMax = 500_000,
        });
        AmqpPeer peer = scene.InSession();
        Assert.True(peer.AttachSender(0, "q") >= Messages);
        for (uint id = 0; id < Messages; id++)
        {
            // The broker is not pumped: its disk writes nothing.
            peer.Write(FrameBytes.Of(Steps.TransferOf(0, id), Steps.Message(new string('x', MessageBytes))));
            scene.Scheduler.RunAll();
        }

        Assert.True(peer.BlocksHeld > Messages / 2, $"only {peer.BlocksHeld} blocks wait in the pipe");
        for (int seconds = 0; seconds < 300; seconds++)
        {
            scene.Clock.Advance(1000);
            scene.Scheduler.RunAll();
        }

        Assert.False(peer.IsEnded);
        scene.Settle();
        Assert.Equal(0, peer.BlocksHeld);
        Assert.Equal(Messages, Count(scene, "q"));
        Assert.Empty(scene.Faults.Errors);
    }

    [Fact]
    public void Peer_that_does_not_read_holds_little_and_nobody_up()
    {
        using var scene = new AmqpScene();
        AmqpPeer slow = scene.InSession();
        slow.AttachReceiver(1, "slow");
        slow.Credit(1, 1_000_000);
        slow.Reads = false;
        AmqpPeer sender = scene.InSession(open: Steps.Open with { ContainerId = "sender" });
        sender.AttachSender(0, "slow");
        sender.AttachSender(1, "fast");
        for (uint id = 0; id < 2 * Messages; id++)
        {
            sender.Transfer(id % 2, id, Steps.Message(new string('x', MessageBytes)));
        }

        Assert.Equal(Messages, Count(scene, "fast"));
        Assert.InRange(slow.UnreadBytes, 1, 1 << 20);
        slow.Reads = true;
        Assert.Equal(Messages, slow.Frames.Count(frame => frame.Descriptor == Transfer.DescriptorCode));
        Assert.Empty(scene.Faults.Errors);
    }

    private static int Count(AmqpScene scene, string queue)
    {
        AmqpPeer reader = scene.InSession(open: Steps.Open with { ContainerId = "reader" });
        reader.AttachReceiver(1, queue, SenderSettleMode.Settled);
        reader.Credit(1, 10_000);
        return reader.Frames.Count(frame => frame.Descriptor == Transfer.DescriptorCode);
    }
}
