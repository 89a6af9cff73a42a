using System.Text;
using Pillarbox.Fuzz.Stomp.Scene;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>A disk that is slower than what comes.</summary>
public sealed class BackpressureTests
{
    private const int Messages = 100;
    private const int BodyBytes = 50_000;

    [Fact]
    public void Who_waits_for_the_disk_is_not_taken_for_silent()
    {
        using var scene = new StompScene(configure: options => options with
        {
            PendingBytesMax = 500_000,
            StalledBytesMax = 500_000,
        });
        StompPeer peer = scene.Connect("1.2", "heart-beat:2000,1000\n");
        byte[] frame = Encoding.UTF8.GetBytes(
            $"SEND\ndestination:/queue/q\npersistent:true\n\n{new string('x', BodyBytes)}\0");
        for (int i = 0; i < Messages; i++)
        {
            // The broker is not pumped: its disk writes nothing.
            peer.Write(frame);
            scene.Scheduler.RunAll();
        }

        for (int seconds = 0; seconds < 300; seconds++)
        {
            scene.Clock.Advance(1000);
            scene.Scheduler.RunAll();
        }

        Assert.False(peer.IsEnded);
        scene.Settle();
        Assert.Equal(Messages, scene.Queues()["q"]);
        Assert.Empty(peer.Frames);
        Assert.True(peer.BlankBytes >= 300, $"{peer.BlankBytes} heart-beats");
        Assert.False(peer.IsEnded);
        Assert.Empty(scene.Faults.Errors);
    }
}
