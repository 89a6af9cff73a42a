using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>A disk that is slower than what comes.</summary>
public sealed class BackpressureTests
{
    private const int Messages = 100;
    private const int BodyBytes = 50_000;

    [Fact]
    public void Who_waits_for_the_disk_is_not_taken_for_silent()
    {
        using var scene = new OpenWireScene(configure: options => options with
        {
            PendingBytesMax = 500_000,
            StalledBytesMax = 500_000,
        });
        OpenWirePeer peer = scene.Connect();
        peer.Wanted = new WireFormat(12);
        peer.Send(peer.BytesOf(new WireFormatInfo { Version = 12, MaxInactivityDurationMs = 3000 }.Seal()));
        peer.Ask(OpenWireSteps.Login());
        peer.Ask(OpenWireSteps.Session());
        peer.Ask(OpenWireSteps.Producer());
        for (int i = 0; i < Messages; i++)
        {
            Message message = OpenWireSteps.Text(Destination.Queue("q"), i);
            message.Content = new byte[BodyBytes];
            message.CommandId = Messages + i;
            // The broker is not pumped: its disk writes nothing.
            peer.Write(peer.BytesOf(message));
            scene.Scheduler.RunAll();
        }

        for (int seconds = 0; seconds < 300; seconds++)
        {
            scene.Clock.Advance(1000);
            scene.Scheduler.RunAll();
        }

        Assert.False(peer.IsEnded);
        scene.Settle();
        Assert.False(peer.IsEnded);
        peer.Ask(OpenWireSteps.Consumer(Destination.Queue("q"), prefetch: 2 * Messages));
        Assert.Equal(Messages, peer.Received.OfType<MessageDispatch>().Count(dispatch => dispatch.Message is not null));
        Assert.Empty(scene.Faults.Errors);
    }
}
