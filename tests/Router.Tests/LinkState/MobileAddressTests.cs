using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.LinkState;

public sealed class MobileAddressTests
{
    private static EngineScene Joined()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 1, ("A", 1));
        scene.Ra(1, "B", 1, 0);
        scene.Pass(200);
        scene.Said.Clear();
        return scene;
    }

    [Fact]
    public void An_address_is_told_soon_and_then_at_most_once_a_second()
    {
        EngineScene scene = Joined();
        scene.Engine.AddLocal(scene.NowMs, "M0one", AddressTreatment.Closest);
        scene.Pass(60);
        MobileAddressUpdate first = Assert.Single(scene.Take<MobileAddressUpdate>()).Message;
        Assert.Equal((1L, false), (first.MobileSeq, first.IsAbsolute));
        Assert.Equal(new AddressHint("M0one", AddressTreatment.Closest), Assert.Single(first.Added));
        scene.Engine.AddLocal(scene.NowMs, "M0two", AddressTreatment.Balanced);
        scene.Engine.RemoveLocal(scene.NowMs, "M0one");
        scene.Pass(900);
        Assert.Empty(scene.Take<MobileAddressUpdate>());
        scene.Pass(100);
        MobileAddressUpdate second = Assert.Single(scene.Take<MobileAddressUpdate>()).Message;
        Assert.Equal(2, second.MobileSeq);
        Assert.Equal(["M0one"], second.Deleted);
        Assert.Equal("M0two", Assert.Single(second.Added).Key);
    }

    [Fact]
    public void An_update_is_followed_by_an_advertisement_of_its_number()
    {
        EngineScene scene = Joined();
        scene.Engine.AddLocal(scene.NowMs, "M0one", AddressTreatment.Closest);
        scene.Pass(60);
        Assert.Equal("MAU RA", scene.Opcodes());
    }

    [Fact]
    public void An_address_that_comes_and_goes_is_not_told()
    {
        EngineScene scene = Joined();
        scene.Engine.AddLocal(scene.NowMs, "M0one", AddressTreatment.Closest);
        scene.Engine.RemoveLocal(scene.NowMs, "M0one");
        scene.Pass(900);
        Assert.Empty(scene.Take<MobileAddressUpdate>());
    }

    [Fact]
    public void Updates_in_order_are_applied_and_tell_the_first_and_the_last_router()
    {
        EngineScene scene = Joined();
        scene.MauAdd(1, "B", 1, "M0q", "HE1");
        UInt128 bit = scene.Engine.Snapshot.ById["B"].Bit;
        Assert.Equal(bit, scene.Engine.Snapshot.RoutersOf("M0q"));
        Assert.Equal(AddressTreatment.Balanced, scene.Engine.Snapshot.Addresses["HE1"].Treatment);
        Assert.All(scene.Changes, c => Assert.True(c.IsFirst));
        scene.Changes.Clear();
        scene.MauDel(1, "B", 2, "M0q");
        Assert.True(Assert.Single(scene.Changes) is { IsLast: true, Key: "M0q" });
        Assert.Equal(UInt128.Zero, scene.Engine.Snapshot.RoutersOf("M0q"));
    }

    [Fact]
    public void A_gap_causes_one_request_for_all()
    {
        EngineScene scene = Joined();
        scene.MauAdd(1, "B", 1, "M0a");
        scene.MauAdd(1, "B", 3, "M0c");
        scene.MauAdd(1, "B", 4, "M0d");
        (int link, MobileAddressRequest request) = Assert.Single(scene.Take<MobileAddressRequest>());
        Assert.Equal((1, 1L), (link, request.HaveSeq));
        Assert.Equal(UInt128.Zero, scene.Engine.Snapshot.RoutersOf("M0c"));
        scene.MauAll(1, "B", 4, "M0b", "M0c", "M0d");
        Assert.Equal(["M0b", "M0c", "M0d"], scene.Engine.Snapshot.Addresses.Keys.Order());
        scene.Pass(2000);
        Assert.Empty(scene.Take<MobileAddressRequest>());
    }

    [Fact]
    public void An_advertised_number_that_is_ahead_is_asked_for()
    {
        EngineScene scene = Joined();
        scene.Ra(1, "B", 1, 7);
        Assert.Empty(scene.Take<MobileAddressRequest>());
        scene.Pass(150);
        Assert.Equal(0, Assert.Single(scene.Take<MobileAddressRequest>()).Message.HaveSeq);
    }

    [Fact]
    public void An_update_that_overtakes_its_advertisement_is_not_asked_for()
    {
        EngineScene scene = Joined();
        scene.Ra(1, "B", 1, 1);
        scene.MauAdd(1, "B", 1, "M0a");
        scene.Pass(2000);
        Assert.Empty(scene.Take<MobileAddressRequest>());
    }

    [Fact]
    public void An_update_that_says_it_is_of_another_start_is_not_believed()
    {
        const long Next = EngineScene.Instance + 5;
        EngineScene scene = Joined();
        scene.HelloOf(1, "B", Next, "A");
        scene.Hear(
            1, new ControlAddress(ControlService.Router, "A"),
            new LinkStateUpdate("B", Next, 1, [new PeerCost("A", 1)]));
        scene.Ra(1, "B", 1, 1, Next);
        var update = new MobileAddressUpdate("B", 1, false, [new AddressHint("M0old", AddressTreatment.Balanced)], [])
        {
            Instance = EngineScene.Instance,
        };
        scene.Hear(1, new ControlAddress(ControlService.MobileAddress, "all"), update);
        scene.Pass(50);
        Assert.Empty(scene.Engine.Snapshot.Addresses);
        scene.Hear(
            1, new ControlAddress(ControlService.MobileAddress, "all"),
            update with { Instance = Next, Added = [new AddressHint("M0new", AddressTreatment.Balanced)] });
        scene.Pass(50);
        Assert.Equal(["M0new"], scene.Engine.Snapshot.Addresses.Keys);
    }

    // An update of another kind of router does not say of which start of its router it is; one may come late.
    [Fact]
    public void All_addresses_that_nobody_asked_for_and_that_were_not_advertised_are_not_believed()
    {
        EngineScene scene = Joined();
        scene.MauAll(1, "B", 1, "M0a");
        Assert.Empty(scene.Engine.Snapshot.Addresses);
        scene.Ra(1, "B", 1, 1);
        scene.Pass(150);
        Assert.Single(scene.Take<MobileAddressRequest>());
        scene.MauAll(1, "B", 1, "M0a");
        Assert.Equal(["M0a"], scene.Engine.Snapshot.Addresses.Keys);
    }

    [Fact]
    public void Addresses_of_a_router_that_advertises_it_never_had_any_are_forgotten()
    {
        EngineScene scene = Joined();
        scene.MauAdd(1, "B", 1, "M0a");
        scene.Ra(1, "B", 1, 1);
        Assert.Equal(["M0a"], scene.Engine.Snapshot.Addresses.Keys);
        scene.Pass(4000);
        scene.Said.Clear();
        scene.Hello(1, "B", "A");
        scene.Ra(1, "B", 2, 0);
        scene.MauAdd(1, "B", 1, "M0a");
        scene.Ra(1, "B", 2, 0);
        scene.Pass(150);
        Assert.Empty(scene.Engine.Snapshot.Addresses);
        Assert.Empty(scene.Take<MobileAddressRequest>());
    }

    [Fact]
    public void A_question_without_an_answer_goes_by_every_link_now_and_then()
    {
        EngineScene scene = Joined();
        scene.Join(2, "C");
        scene.Lsu(2, "C", 1, ("A", 1), ("D", 1));
        scene.Ra(2, "D", 1, 0);
        scene.Lsu(2, "D", 1, ("C", 1));
        scene.Pass(100);
        scene.Said.Clear();
        scene.Ra(2, "D", 2, 0);
        for (int i = 0; i < 8; i++)
        {
            scene.Hello(1, "B", "A");
            scene.Hello(2, "C", "A");
            scene.Pass(300);
        }
        IEnumerable<int> asked = scene.Said
            .Where(s => s.Envelope is { Message: LinkStateRequest, To.Router: "D" })
            .Select(s => s.Link);
        Assert.Equal([2, 1, 2, 2, 2, 1], asked.Take(6));
    }

    [Fact]
    public void A_request_is_answered_with_all_unless_the_asker_has_all()
    {
        EngineScene scene = Joined();
        scene.Engine.AddLocal(scene.NowMs, "M0one", AddressTreatment.Closest);
        scene.Engine.AddLocal(scene.NowMs, "M0two", AddressTreatment.Multicast);
        scene.Pass(100);
        scene.Said.Clear();
        scene.Hear(1, EngineScene.To(ControlService.MobileAddress, "A"), new MobileAddressRequest("B", 1));
        Assert.Empty(scene.Said);
        scene.Hear(1, EngineScene.To(ControlService.MobileAddress, "A"), new MobileAddressRequest("B", 0));
        MobileAddressUpdate all = Assert.Single(scene.Take<MobileAddressUpdate>()).Message;
        Assert.Equal((1L, true, 2), (all.MobileSeq, all.IsAbsolute, all.Added.Length));
    }

    [Fact]
    public void Addresses_of_a_router_that_cannot_be_reached_have_no_destination()
    {
        EngineScene scene = Joined();
        scene.MauAdd(1, "B", 1, "M0q");
        scene.Changes.Clear();
        scene.Down(1);
        Assert.True(Assert.Single(scene.Changes).IsLast);
        Assert.Empty(scene.Engine.Snapshot.Addresses);
        scene.Join(2, "B");
        scene.Pass(100);
        Assert.Equal("M0q", Assert.Single(scene.Engine.Snapshot.Addresses).Key);
    }

    [Fact]
    public void Only_keys_of_mobile_classes_are_taken()
    {
        EngineScene scene = Joined();
        scene.MauAdd(1, "B", 1, "M0q", "L$management", "Rx", "Tq", "Dout", "x");
        Assert.Equal(["Dout", "M0q"], scene.Engine.Snapshot.Addresses.Keys.Order());
        Assert.Throws<ArgumentException>(() =>
            scene.Engine.AddLocal(0, "L$management", AddressTreatment.Closest));
    }

    [Fact]
    public void More_addresses_than_a_router_may_have_are_refused_and_not_asked_for_again()
    {
        EngineScene scene = Joined();
        string[] many = [.. Enumerable.Range(0, 60_000).Select(i => $"M0{i}")];
        scene.MauAdd(1, "B", 1, many);
        Assert.Equal(many.Length, scene.Engine.Snapshot.Addresses.Count);
        scene.MauAdd(1, "B", 2, [.. many.Select(k => k + "x")]);
        Assert.Equal(many.Length, scene.Engine.Snapshot.Addresses.Count);
        Assert.Contains(scene.Events, e => e.Kind == RouterEventKind.TooManyAddresses);
        scene.Ra(1, "B", 1, 2);
        scene.Pass(2000);
        Assert.Empty(scene.Take<MobileAddressRequest>());
    }
}
