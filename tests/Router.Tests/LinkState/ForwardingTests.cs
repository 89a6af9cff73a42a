using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.LinkState;

public sealed class ForwardingTests
{
    // B - A - C and D behind C.
    private static EngineScene Line()
    {
        var scene = new EngineScene();
        scene.Join(1, "B");
        scene.Join(2, "C");
        scene.Lsu(1, "B", 1, ("A", 1));
        scene.Lsu(2, "C", 1, ("A", 1), ("D", 1));
        scene.Lsu(2, "D", 1, ("C", 1));
        scene.Pass(200);
        scene.Said.Clear();
        return scene;
    }

    [Fact]
    public void An_advertisement_is_passed_on_to_the_others_with_this_router_in_its_trace()
    {
        EngineScene scene = Line();
        scene.Ra(1, "B", 1, 0);
        (int link, ControlEnvelope passed) = Assert.Single(scene.Said);
        Assert.Equal(2, link);
        Assert.Equal("0/B", passed.Ingress);
        Assert.Equal(["0/B", "0/A"], passed.Trace);
        Assert.Equal(new RouterAdvertisement("B", EngineScene.Instance, 1, 0), passed.Message);
    }

    [Fact]
    public void The_same_advertisement_by_another_way_is_not_passed_on_again()
    {
        EngineScene scene = Line();
        scene.Ra(1, "B", 1, 0);
        scene.Said.Clear();
        scene.Ra(2, "B", 1, 0);
        Assert.Empty(scene.Said);
        scene.Pass(500);
        scene.Ra(1, "B", 1, 0);
        Assert.Single(scene.Take<RouterAdvertisement>(), m => m.Message.Id == "B");
    }

    [Fact]
    public void A_message_without_annotations_gets_this_router_as_ingress()
    {
        EngineScene scene = Line();
        byte[] bytes = ControlWriter.Write(
            EngineScene.To(ControlService.Router, "all"), new RouterAdvertisement("B", EngineScene.Instance, 1, 0));
        AmqpMessage bare = AmqpMessage.Read(bytes) with { MessageAnnotations = null };
        scene.HearBytes(1, bare.ToArray());
        (int link, ControlEnvelope passed) = Assert.Single(scene.Said);
        Assert.Equal((2, "0/A"), (link, passed.Ingress));
        Assert.Equal(["0/A"], passed.Trace);
    }

    [Fact]
    public void A_message_to_another_router_goes_its_way_and_only_there()
    {
        EngineScene scene = Line();
        scene.Hear(1, EngineScene.To(ControlService.Router, "D"), new LinkStateRequest("B"));
        (int link, ControlEnvelope passed) = Assert.Single(scene.Said);
        Assert.Equal((2, "D"), (link, passed.To.Router));
        scene.Said.Clear();
        scene.Hear(2, EngineScene.To(ControlService.Router, "D"), new LinkStateRequest("B"));
        scene.Hear(1, EngineScene.To(ControlService.Router, "nobody"), new LinkStateRequest("B"));
        Assert.Empty(scene.Said);
    }

    [Fact]
    public void An_update_of_addresses_goes_along_the_tree_of_its_ingress()
    {
        EngineScene scene = Line();
        scene.MauAdd(1, "B", 1, "M0q");
        Assert.Equal(2, Assert.Single(scene.Said).Link);
        scene.Said.Clear();
        scene.MauAdd(2, "D", 1, "M0q");
        Assert.Equal(1, Assert.Single(scene.Said).Link);
    }

    [Fact]
    public void A_message_that_was_here_or_is_of_this_router_is_dropped()
    {
        EngineScene scene = Line();
        scene.Ra(1, "A", 9, 9);
        ControlAddress to = EngineScene.To(ControlService.Router, "all");
        byte[] once = ControlWriter.Write(to, new RouterAdvertisement("B", EngineScene.Instance, 8, 0));
        Assert.True(ControlReader.TryRead(once, out ControlEnvelope? envelope, out _));
        scene.HearBytes(2, ControlWriter.Forward(envelope, "A"));
        Assert.Empty(scene.Said);
        Assert.Equal(1, scene.Engine.Snapshot.ById["B"].LsSeq);
    }

    [Fact]
    public void A_newer_version_is_reported_once_not_understood_and_passed_on()
    {
        EngineScene scene = Line();
        AmqpMap body = new();
        body.Add("id", "B");
        body.Add("pv", 2);
        body.Add("mobile_seq", 1L);
        AmqpMap opcode = new();
        opcode.Add("opcode", "MAU");
        byte[] update = (AmqpMessage.FromValue(AmqpValue.Map(body)) with
        {
            Properties = new MessageProperties { To = "_topo/0/all/qdrouter.ma" },
            ApplicationProperties = opcode,
        }).ToArray();
        scene.HearBytes(1, update);
        scene.HearBytes(1, update);
        Assert.Single(scene.Events, e => e is { Kind: RouterEventKind.VersionRefused, Router: "B" });
        Assert.Equal([2, 2], scene.Said.Select(s => s.Link));
        Assert.All(scene.Said, s => Assert.Equal(2, s.Envelope.Version));
    }

    [Fact]
    public void Nothing_is_taken_from_a_link_that_is_not_open()
    {
        EngineScene scene = Line();
        scene.Ra(9, "Z", 1, 0);
        scene.Hello(9, "Z", "A");
        Assert.Empty(scene.Said);
        Assert.False(scene.Engine.Snapshot.ById.ContainsKey("Z"));
    }
}
