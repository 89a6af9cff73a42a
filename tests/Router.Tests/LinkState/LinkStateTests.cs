using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.LinkState;

public sealed class LinkStateTests
{
    [Fact]
    public void A_router_behind_a_neighbour_is_reached_through_it()
    {
        var scene = new EngineScene();
        scene.Join(1, "B", cost: 2);
        scene.Lsu(1, "B", 1, ("A", 2), ("C", 3));
        scene.Lsu(1, "C", 1, ("B", 3));
        scene.Pass(100);
        RouterRoute far = scene.Engine.Snapshot.ById["C"];
        Assert.Equal((1, "B", 5L), (far.NextHopLink!.Value, far.NextHopId, far.Cost));
        Assert.Equal(2, scene.Engine.Snapshot.Radius);
    }

    [Fact]
    public void A_router_that_is_only_spoken_of_can_be_reached_and_is_asked()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Pass(100);
        scene.Said.Clear();
        scene.Lsu(1, "B", 1, ("A", 1), ("C", 1));
        scene.Pass(100);
        Assert.Equal(1, scene.Engine.Snapshot.ById["C"].NextHopLink);
        Assert.Contains(scene.Said, s => s.Link == 1 && s.Envelope.To is { Router: "C" }
            && s.Envelope.Message is LinkStateRequest);
    }

    [Fact]
    public void Of_equal_ways_the_one_by_the_lower_id_is_taken()
    {
        var scene = new EngineScene();
        scene.Join(1, "C");
        scene.Join(2, "B");
        scene.Lsu(1, "C", 1, ("A", 1), ("D", 1));
        scene.Lsu(2, "B", 1, ("A", 1), ("D", 1));
        scene.Lsu(2, "D", 1, ("B", 1), ("C", 1));
        scene.Pass(100);
        Assert.Equal("B", scene.Engine.Snapshot.ById["D"].NextHopId);
        Assert.Equal(["B"], scene.Engine.Snapshot.IdsOf(scene.Engine.Snapshot.ById["C"].ValidOrigins));
    }

    [Fact]
    public void A_newer_link_state_is_asked_for_once_until_it_comes()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 1, ("A", 1));
        scene.Ra(1, "B", 1, 0);
        scene.Pass(2000);
        scene.Hello(1, "B", "A");
        scene.Said.Clear();
        scene.Ra(1, "B", 2, 0);
        scene.Ra(1, "B", 2, 0);
        Assert.Single(scene.Take<LinkStateRequest>());
        scene.Pass(500);
        Assert.Single(scene.Take<LinkStateRequest>());
        scene.Lsu(1, "B", 2, ("A", 1));
        scene.Pass(1500);
        Assert.Empty(scene.Take<LinkStateRequest>());
    }

    [Fact]
    public void An_older_link_state_changes_nothing()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 5, ("A", 1), ("C", 1));
        scene.Lsu(1, "B", 4, ("A", 1));
        scene.Pass(100);
        Assert.True(scene.Engine.Snapshot.ById.ContainsKey("C"));
    }

    [Fact]
    public void The_link_state_of_a_router_that_advertises_nothing_is_forgotten_after_a_minute()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 1, ("A", 1), ("C", 1));
        scene.Lsu(1, "C", 1, ("B", 1));
        for (int second = 0; second < 59; second++)
        {
            scene.Hello(1, "B", "A");
            scene.Ra(1, "B", 1, 0);
            scene.Pass(1000);
        }
        Assert.Single(scene.Engine.Snapshot.ById["C"].Peers);
        scene.Pass(2500);
        scene.Hello(1, "B", "A");
        scene.Pass(100);
        Assert.Empty(scene.Engine.Snapshot.ById["C"].Peers);
    }

    [Fact]
    public void A_router_that_nobody_names_is_forgotten_after_three_ticks()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 1, ("A", 1), ("C", 1));
        scene.Pass(1000);
        scene.Hello(1, "B", "A");
        scene.Lsu(1, "B", 2, ("A", 1));
        scene.Pass(1000);
        Assert.Null(scene.Engine.Snapshot.ById["C"].NextHopLink);
        scene.Pass(2500);
        Assert.False(scene.Engine.Snapshot.ById.ContainsKey("C"));
    }

    [Fact]
    public void Advertisements_come_each_thirty_seconds_and_each_four_after_a_change()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Said.Clear();
        for (int second = 0; second < 100; second++)
        {
            scene.Hello(1, "B", "A");
            scene.Pass(1000);
        }
        // At 4 and 8 seconds, then at 38, 68 and 98.
        Assert.Equal(5, scene.Take<RouterAdvertisement>().Count);
    }

    [Fact]
    public void An_advertisement_that_goes_back_is_overtaken_at_first_and_a_restart_later()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 5, ("A", 1), ("C", 1));
        scene.Ra(1, "B", 5, 0);
        scene.Pass(100);
        scene.Ra(1, "B", 4, 0);
        scene.Pass(100);
        Assert.True(scene.Engine.Snapshot.ById.ContainsKey("C"));
        Assert.DoesNotContain(scene.Events, e => e.Kind == RouterEventKind.RouterRestarted);
        scene.Pass(3000);
        scene.Ra(1, "B", 1, 0);
        scene.Lsu(1, "B", 1, ("A", 1));
        scene.Pass(100);
        Assert.Contains(scene.Events, e => e.Kind == RouterEventKind.RouterRestarted);
        Assert.Single(scene.Engine.Snapshot.ById["B"].Peers);
    }

    [Fact]
    public void A_network_of_more_than_128_routers_is_cut_off_there()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 1, [.. Enumerable.Range(0, 127).Select(i => ($"X{i}", 1))]);
        scene.Lsu(1, "X0", 1, [.. Enumerable.Range(0, 127).Select(i => ($"Y{i}", 1))]);
        scene.Pass(100);
        Assert.Equal(RouterLimits.RoutersMax - 1, scene.Engine.Snapshot.Routers.Length);
        Assert.Contains(scene.Events, e => e.Kind == RouterEventKind.TooManyRouters);
        Assert.True(scene.Events.Count <= RouterLimits.EventsMax * 3);
        // One that speaks for itself takes the place of one that was only spoken of.
        scene.Join(2, "Z");
        scene.Pass(100);
        Assert.Equal(2, scene.Engine.Snapshot.ById["Z"].NextHopLink);
    }
}
