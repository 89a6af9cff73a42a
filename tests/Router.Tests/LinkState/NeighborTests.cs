using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.LinkState;

public sealed class NeighborTests
{
    [Fact]
    public void A_neighbour_is_up_when_it_has_seen_this_router()
    {
        var scene = new EngineScene();
        scene.Up(1);
        (int link, Hello first) = Assert.Single(scene.Take<Hello>());
        Assert.Equal((1, "A", EngineScene.Instance), (link, first.Id, first.Instance));
        Assert.Empty(first.Seen);
        scene.Hello(1, "B");
        Assert.Equal(["B"], Assert.Single(scene.Take<Hello>()).Message.Seen);
        Assert.Empty(scene.Engine.Snapshot.Routers);
        scene.Hello(1, "B", "A");
        Assert.Equal(1, scene.Engine.Snapshot.ById["B"].NextHopLink);
        Assert.Contains(scene.Events, e => e is { Kind: RouterEventKind.NeighborUp, Router: "B" });
    }

    [Fact]
    public void The_join_goes_as_recorded()
    {
        var scene = new EngineScene();
        scene.Up(1);
        Assert.Equal("HELLO", scene.Opcodes());
        scene.Hello(1, "B", "A");
        Assert.Equal("HELLO LSR RA", scene.Opcodes());
        scene.Hear(1, EngineScene.To(ControlService.Router, "A"), new LinkStateRequest("B"));
        Assert.Equal("LSU RA", scene.Opcodes());
        scene.Lsu(1, "B", 1, ("A", 1));
        scene.Ra(1, "B", 1, 0);
        Assert.Equal("", scene.Opcodes());
    }

    [Fact]
    public void Hellos_go_out_each_second()
    {
        var scene = new EngineScene();
        scene.Up(1);
        scene.Up(2);
        scene.Pass(10);
        scene.Said.Clear();
        scene.Pass(5000);
        Assert.Equal(10, scene.Take<Hello>().Count);
    }

    [Fact]
    public void A_silent_neighbour_is_lost_after_three_seconds()
    {
        var scene = new EngineScene();
        scene.Pass(500);
        scene.Join(1, "B");
        scene.Pass(3000);
        Assert.Equal(1, scene.Engine.Snapshot.ById["B"].NextHopLink);
        scene.Pass(1);
        Assert.Null(scene.Engine.Snapshot.ById["B"].NextHopLink);
        Assert.Contains(scene.Events, e => e is { Kind: RouterEventKind.NeighborLost, Router: "B" });
    }

    [Fact]
    public void A_lost_link_counts_at_once()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Pass(500);
        scene.Down(1);
        Assert.Null(scene.Engine.Snapshot.ById["B"].NextHopLink);
        Assert.Equal(UInt128.Zero, scene.Engine.Snapshot.Reachable);
    }

    [Fact]
    public void Of_two_links_to_a_neighbour_the_cheaper_one_is_taken_and_the_other_takes_over()
    {
        var scene = new EngineScene();
        scene.Join(1, "B", cost: 5);
        scene.Pass(100);
        scene.Join(2, "B", cost: 2);
        scene.Pass(100);
        Assert.Equal((2, 2L), WayToB(scene));
        scene.Down(2);
        scene.Pass(100);
        Assert.Equal((1, 5L), WayToB(scene));
    }

    [Fact]
    public void A_changed_cost_is_told()
    {
        var scene = new EngineScene();
        scene.Join(1, "B", cost: 5);
        scene.Pass(1000);
        scene.Said.Clear();
        scene.Up(1, cost: 7);
        scene.Pass(100);
        Assert.Equal(7, scene.Engine.Snapshot.ById["B"].Cost);
        Assert.Equal(2, Assert.Single(scene.Take<RouterAdvertisement>()).Message.LsSeq);
    }

    [Fact]
    public void A_neighbour_with_this_routers_id_is_reported_once_and_is_no_neighbour()
    {
        var scene = new EngineScene();
        scene.Up(1);
        scene.HelloOf(1, "A", 42, "A");
        scene.HelloOf(1, "A", 42, "A");
        Assert.Single(scene.Events, e => e.Kind == RouterEventKind.DuplicateId);
        Assert.Empty(scene.Engine.Snapshot.Routers);
    }

    [Fact]
    public void A_link_belongs_to_one_neighbour()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Hello(1, "C", "A");
        scene.Pass(100);
        Assert.Contains(scene.Events, e => e is { Kind: RouterEventKind.WrongId, Router: "C" });
        Assert.False(scene.Engine.Snapshot.ById.ContainsKey("C"));
        Assert.Equal(1, scene.Engine.Snapshot.ById["B"].NextHopLink);
    }

    [Fact]
    public void A_restarted_neighbour_is_asked_anew()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Ra(1, "B", 3, 1);
        scene.Lsu(1, "B", 3, ("A", 1), ("C", 1));
        scene.MauAll(1, "B", 1, "M0q");
        scene.Pass(100);
        Assert.True(scene.Engine.Snapshot.ById.ContainsKey("C"));
        Assert.NotEqual(UInt128.Zero, scene.Engine.Snapshot.RoutersOf("M0q"));
        scene.Said.Clear();
        scene.HelloOf(1, "B", EngineScene.Instance + 1, "A");
        scene.Pass(100);
        Assert.Contains(scene.Events, e => e is { Kind: RouterEventKind.RouterRestarted, Router: "B" });
        Assert.Equal(UInt128.Zero, scene.Engine.Snapshot.RoutersOf("M0q"));
        Assert.NotEmpty(scene.Take<LinkStateRequest>());
    }

    private static (int Link, long Cost) WayToB(EngineScene scene)
    {
        RouterRoute route = scene.Engine.Snapshot.ById["B"];
        return (route.NextHopLink!.Value, route.Cost);
    }
}
