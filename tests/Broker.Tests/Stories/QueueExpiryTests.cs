using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Tests;

/// <summary>Queues that live for a time after their last user (subscriptions).</summary>
public sealed class QueueExpiryTests
{
    private const int TimeoutMs = 10_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_time_goes_on_over_a_restart(bool crash)
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("sub");
        actor.Client.SetQueueExpiry("sub", TimeoutMs, begins: true);
        Pass(scene, 6_000);
        Restart(scene, crash);
        Pass(scene, 3_000);
        Assert.NotNull(scene.Connect().Client.FindQueue("sub"));
        Pass(scene, 2_000);
        Assert.Null(scene.Connect().Client.FindQueue("sub"));
        scene.Crash();
        Assert.Null(scene.Connect().Client.FindQueue("sub"));
    }

    [Fact]
    public void After_a_crash_the_time_begins_for_those_that_were_in_use()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("sub");
        actor.Queue("kept");
        actor.Client.SetQueueExpiry("sub", TimeoutMs, begins: false);
        actor.Consume("sub");
        Pass(scene, 20_000);
        Assert.NotNull(actor.Client.FindQueue("sub"));
        Restart(scene, crash: true);
        Pass(scene, 9_000);
        Assert.NotNull(scene.Connect().Client.FindQueue("sub"));
        Pass(scene, 2_000);
        Assert.Null(scene.Connect().Client.FindQueue("sub"));
        Assert.NotNull(scene.Connect().Client.FindQueue("kept"));
    }

    [Fact]
    public void A_queue_that_is_used_again_stays()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("sub");
        actor.Client.SetQueueExpiry("sub", TimeoutMs, begins: true);
        Consumer consumer = actor.Consume("sub");
        Pass(scene, 20_000);
        Assert.NotNull(actor.Client.FindQueue("sub"));
        actor.Client.SetQueueExpiry("sub", -1, begins: false);
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        Restart(scene, crash: false);
        Pass(scene, 20_000);
        Assert.NotNull(scene.Connect().Client.FindQueue("sub"));
    }

    private static void Restart(Scene scene, bool crash)
    {
        if (crash)
        {
            scene.Crash();
        }
        else
        {
            scene.Restart();
        }
    }

    private static void Pass(Scene scene, long milliseconds)
    {
        scene.Advance(milliseconds);
        for (int i = 0; i < 10; i++)
        {
            scene.Broker.Pump();
        }

        scene.Settle();
    }
}
