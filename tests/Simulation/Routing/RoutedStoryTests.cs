using Pillarbox.Router;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>Small networks of whole nodes in which one thing happens.</summary>
public sealed class RoutedStoryTests
{
    [Fact]
    public void Edge_releases_what_waits_for_an_address_that_the_interior_takes_no_more_of()
    {
        using var world = new RoutedWorld(seed: 1);
        RoutedNode interior = world.Add("R0", RouterMode.Interior);
        RoutedNode edge = world.Add("E0", RouterMode.Edge);
        world.Connect(edge, interior);
        world.Start();
        var receiver = new RoutedReceiver(world, interior, "idle", "q.0", draws: false);
        world.Receivers.Add(receiver);
        world.Pass(1000);
        // Together they have more credit than the edge's link to the interior.
        for (int i = 0; i < 2; i++)
        {
            world.Senders.Add(new RoutedSender(world, edge, $"sender-{i}", "q.0", isPreSettled: false));
        }

        world.PassUntil(static () => "credit", () => world.Senders.TrueForAll(s => s.CanSend), 10_000);
        world.Senders.ForEach(s => SendAll(world, s));
        Assert.True(world.Senders.TrueForAll(s => s.UnderWay == world.LinkCapacity));

        receiver.Leave(rudely: false);
        world.Receivers.Clear();

        world.PassUntil(
            () => $"outcomes; {string.Join(", ", world.Senders.Select(s => s.Describe()))}",
            () => world.Senders.TrueForAll(s => s.UnderWay == 0), 10_000);
    }

    [Fact]
    public void Silent_neighbour_gives_back_what_was_on_its_way_within_the_protocols_timers()
    {
        using var world = new RoutedWorld(seed: 2);
        RoutedNode left = world.Add("R0", RouterMode.Interior);
        RoutedNode right = world.Add("R1", RouterMode.Interior);
        world.Connect(left, right);
        world.Start();
        world.Receivers.Add(new RoutedReceiver(world, right, "idle", "q.0", draws: false));
        var sender = new RoutedSender(world, left, "sender", "q.0", isPreSettled: false);
        world.Senders.Add(sender);
        world.PassUntil(static () => "credit", () => sender.CanSend, 10_000);
        SendAll(world, sender);
        world.Pass(200);
        Assert.Equal(world.LinkCapacity, sender.UnderWay);

        world.Lines[0].IsSilent = true;

        world.PassUntil(() => $"outcomes; {sender.Describe()}", () => sender.UnderWay == 0, 4500);
    }

    private static void SendAll(RoutedWorld world, RoutedSender sender)
    {
        while (sender.CanSend)
        {
            sender.Send();
            world.Settle();
        }
    }
}
