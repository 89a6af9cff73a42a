using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Containers;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>What an edge asks of the interior, tells it, and has links for; frame by frame.</summary>
public sealed class EdgeUplinkTests : IDisposable
{
    private static readonly (string? Address, bool IsFromNode, string? Capability)[] LinksOfQueue =
    [
        ("_$broker.queue/orders", false, null), ("orders", false, "qd.waypoint.1"), ("orders", true, "qd.waypoint.1"),
    ];

    private readonly RoutedScene _scene = new(RouterMode.Edge);
    private readonly InteriorPeer _interior;

    public EdgeUplinkTests() => _interior = new InteriorPeer(_scene);

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_link_goes_on_as_a_whole_when_the_interior_says_so(bool toSend)
    {
        AmqpPeer client = Attaching("far.q", toSend);
        Assert.Empty(client.Frames);
        Reply("far.q", toSend, isLinkRoute: true, hasDestinations: true);

        InteriorLink link = _interior.Link("far.q", isFromNode: toSend);
        Assert.Equal(toSend ? "sender-0@peer-1" : "receiver-0@peer-1", link.Attach.Name);
        client.Next(Attach.DescriptorCode);
        if (toSend)
        {
            // The credit is that of the other end.
            Assert.Empty(client.Frames);
            _interior.Credit(link, 3);
            Assert.Equal(3u, client.Next(Flow.DescriptorCode).AsFlow().LinkCredit);
        }
    }

    [Fact]
    public void A_link_that_nobody_could_take_is_refused()
    {
        AmqpPeer client = Attaching("far.q", toSend: true);
        Reply("far.q", toSend: true, isLinkRoute: true, hasDestinations: false);
        client.Next(Attach.DescriptorCode);
        Assert.Equal("qd:no-route-to-dest", client.Next(Detach.DescriptorCode).AsDetach().Error?.Condition);
    }

    [Fact]
    public void What_is_no_link_route_goes_message_by_message()
    {
        AmqpPeer client = Attaching("news", toSend: true);
        Reply("news", toSend: true, isLinkRoute: false, hasDestinations: false);
        client.Next(Attach.DescriptorCode);
        InteriorLink link = _interior.Link("news", isFromNode: true);
        Assert.Null(link.Capability);
        Assert.StartsWith("qdlink.", link.Attach.Name, StringComparison.Ordinal);
        Assert.Empty(client.Frames);
        _interior.Credit(link, 10);
        Assert.True(client.Next(Flow.DescriptorCode).AsFlow().LinkCredit > 0);
    }

    [Fact]
    public void A_silent_interior_is_waited_for_three_seconds()
    {
        AmqpPeer client = Attaching("news", toSend: true);
        _scene.Node.Advance(2500);
        Assert.Empty(client.Frames);
        _scene.Node.Advance(1500);
        client.Next(Attach.DescriptorCode);
    }

    [Fact]
    public void A_lost_interior_keeps_no_attach_waiting()
    {
        AmqpPeer client = Attaching("news", toSend: true);
        Assert.Empty(client.Frames);
        _interior.Cut();
        client.Next(Attach.DescriptorCode);
    }

    [Fact]
    public void What_the_nodes_own_broker_has_is_not_asked_for()
    {
        MakeQueue("orders");
        AmqpPeer client = _scene.Client();
        Assert.True(client.AttachSender(0, "orders") > 0);
        Assert.Null(_interior.Take(_interior.Link("_$qd.addr_lookup", isFromNode: true)));
    }

    [Fact]
    public void The_interior_hears_of_containers_and_when_they_are_gone()
    {
        _scene.Network.Containers.Add(new LinkRouteRule
        {
            Name = "in",
            Prefix = "broker",
            IsForSenders = true,
            For = new ContainerRule("to-broker", null),
        });
        InteriorLink agent = _interior.Link("$management", isFromNode: true);
        Assert.Null(_interior.Take(agent));
        var broker = new ContainerPeer(_scene);
        AmqpMessage create = AmqpMessage.Read(_interior.Take(agent)!.Value.Message);
        Assert.Equal(
            ("CREATE", "org.apache.qpid.dispatch.router.connection.linkRoute", "E/proxyLinkRoute/Cbroker"),
            (Text(create.ApplicationProperties!, "operation"), Text(create.ApplicationProperties!, "type"),
                Text(create.ApplicationProperties!, "name")));
        AmqpMap told = create.Value.AsMap()!;
        Assert.Equal(("broker/#", "in"), (Text(told, "pattern"), Text(told, "direction")));

        broker.Peer.Cut();
        // Of what is not made yet nothing can be removed.
        Assert.Null(_interior.Take(agent));
        var made = new AmqpMap();
        made.Add("identity", "77");
        Answer(create, 201, AmqpValue.Map(made));
        AmqpMessage delete = AmqpMessage.Read(_interior.Take(agent)!.Value.Message);
        Assert.Equal(
            ("DELETE", "77"),
            (Text(delete.ApplicationProperties!, "operation"), Text(delete.ApplicationProperties!, "identity")));
    }

    [Fact]
    public void Another_interior_is_told_what_the_first_was()
    {
        _scene.Network.Containers.Add(new LinkRouteRule
        {
            Name = "in",
            Prefix = "broker",
            IsForSenders = true,
            For = new ContainerRule("to-broker", null),
        });
        _ = new ContainerPeer(_scene);
        _interior.Cut();
        var next = new InteriorPeer(_scene);
        AmqpMessage create = AmqpMessage.Read(
            next.Take(next.Link("$management", isFromNode: true))!.Value.Message);
        Assert.Equal("broker/#", Text(create.Value.AsMap()!, "pattern"));
    }

    [Fact]
    public void A_brokers_queue_is_there_for_all_as_a_waypoint_is()
    {
        MakeQueue("orders");
        Assert.Equal(LinksOfQueue, Shown(_interior));

        // Who draws elsewhere gives credit; who sends elsewhere sends to the queue.
        _interior.Send(_interior.Link("orders", isFromNode: false), Steps.Message("from elsewhere"));
        Assert.Null(_interior.Take(_interior.Link("orders", isFromNode: true)));
        InteriorLink given = _interior.Link("orders", isFromNode: true);
        _interior.Credit(given, 10);
        (uint id, byte[] message) = _interior.Take(given)!.Value;
        Assert.Equal("from elsewhere", Steps.BodyOf(message));
        _interior.Accept(given, id);
        Assert.Null(_interior.Take(given));
    }

    [Fact]
    public void Another_interior_learns_of_the_queue_too()
    {
        MakeQueue("orders");
        _interior.Cut();
        var next = new InteriorPeer(_scene);
        Assert.Equal(LinksOfQueue, Shown(next));
    }

    [Fact]
    public void An_address_that_becomes_a_queue_here_is_told_anew()
    {
        AmqpPeer client = Attaching("orders", toSend: false);
        Reply("orders", toSend: false, isLinkRoute: false, hasDestinations: false);
        client.Next(Attach.DescriptorCode);
        Assert.Null(_interior.Link("orders", isFromNode: false).Capability);
        MakeQueue("orders");
        // What is sent to the queue, and for the client what queues of that name give.
        Assert.Equal(
            ["qd.waypoint.1", "qd.waypoint.2"],
            _interior.Places.Where(link => link is { Address: "orders", IsFromNode: false })
                .Select(link => link.Capability).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_sent_to_a_queue_elsewhere_goes_there_also_when_it_is_drawn_from_here(bool isKnownBefore)
    {
        AmqpPeer receiver = Attaching("orders", toSend: false);
        AmqpValue known = isKnownBefore ? "queue" : AmqpValue.Null;
        Reply("orders", toSend: false, isLinkRoute: false, hasDestinations: true, known);
        receiver.Next(Attach.DescriptorCode);
        receiver.Credit(0, 10);
        if (!isKnownBefore)
        {
            Assert.Null(_interior.Link("orders", isFromNode: false).Capability);
            _interior.Send(_interior.Link("_$qd.edge_addr_tracking", isFromNode: false), Tracked("orders", true));
        }

        InteriorLink drawn = _interior.Link("orders", isFromNode: false);
        Assert.Equal("qd.waypoint.2", drawn.Capability);
        AmqpPeer sender = Attaching("orders", toSend: true);
        Reply("orders", toSend: true, isLinkRoute: false, hasDestinations: true, "queue");
        sender.Next(Attach.DescriptorCode);
        InteriorLink sent = _interior.Link("orders", isFromNode: true);
        Assert.Null(sent.Capability);
        _interior.Credit(sent, 10);
        sender.Transfer(0, 0, Steps.Message("in"));
        byte[] message = _interior.Take(sent)!.Value.Message;
        Assert.Equal("in", Steps.BodyOf(message));
        // To the network it enters at the edge's router: another id would be one of a router that nobody knows.
        Assert.Equal(-1, message.AsSpan().IndexOf("x-opt-qd.ingress"u8));
        Assert.Equal(-1, message.AsSpan().IndexOf("x-opt-qd.trace"u8));
        Assert.DoesNotContain(receiver.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);

        _interior.Send(drawn, Steps.Message("out"));
        Assert.Contains(receiver.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);

        _interior.Send(_interior.Link("_$qd.edge_addr_tracking", isFromNode: false), Tracked("orders", false));
        Assert.Null(_interior.Link("orders", isFromNode: false).Capability);
    }

    [Fact]
    public void More_addresses_than_a_session_has_links_go_into_further_ones()
    {
        const int Addresses = 1500;
        var service = new NetworkService(_scene.Network, static (_, _) => null);
        for (int i = 0; i < Addresses; i++)
        {
            _scene.Network.OpenReceiver($"many.{i}", service);
        }

        _scene.Node.Settle();
        Assert.Equal(Addresses, _interior.Places.Count);
        Assert.Equal(2, _interior.Places.Select(link => link.Channel).Distinct().Count());
    }

    [Fact]
    public void What_the_queue_still_has_comes_before_the_answer_to_who_drains()
    {
        MakeQueue("orders");
        InteriorLink given = _interior.Link("orders", isFromNode: true);
        _interior.Credit(given, 10);
        AmqpPeer producer = _scene.Client();
        producer.AttachSender(0, "orders");
        producer.Transfer(0, 0, Steps.Message("last"));
        InteriorLink door = _interior.Link("_$broker.queue/orders", isFromNode: false);
        uint question = _interior.Send(door, DrainSteps.Question("amqp:/_topo/0/I/temp.2", "I"), settled: false);

        (uint id, byte[] message) = _interior.Take(given)!.Value;
        Assert.Equal("last", Steps.BodyOf(message));
        _interior.Accept(given, id);
        InteriorLink relay = _interior.Link(null, isFromNode: true);
        (uint answer, byte[] empty) = _interior.Take(relay)!.Value;
        Assert.Equal("DRAINED", DrainSteps.Read(empty).Opcode);
        Assert.False(_interior.IsAccepted(door, question));
        _interior.Accept(relay, answer);
        Assert.True(_interior.IsAccepted(door, question));
    }

    // The answer goes by a link that has all the credit it needs, and what it speaks of by one that has none now.
    [Fact]
    public void The_answer_to_who_drains_waits_for_what_waits_for_credit()
    {
        MakeQueue("orders");
        InteriorLink given = _interior.Link("orders", isFromNode: true);
        _interior.Credit(given, 1);
        AmqpPeer producer = _scene.Client();
        producer.AttachSender(0, "orders");
        for (uint i = 0; i < 20; i++)
        {
            producer.Transfer(0, i, Steps.Message($"{i}"));
        }

        Assert.Equal("0", Steps.BodyOf(_interior.Take(given)!.Value.Message));
        InteriorLink door = _interior.Link("_$broker.queue/orders", isFromNode: false);
        _interior.Send(door, DrainSteps.Question("amqp:/_topo/0/I/temp.2", "I"), settled: false);
        InteriorLink relay = _interior.Link(null, isFromNode: true);
        Assert.Null(_interior.Take(relay));

        _interior.Credit(given, 15);
        Assert.Null(_interior.Take(relay));
        _interior.Credit(given, 25);
        List<string> order = [.. _interior.TakeAll().Select(
            taken => taken.Link == relay ? DrainSteps.Read(taken.Message).Opcode! : Steps.BodyOf(taken.Message))];
        Assert.Equal([.. Enumerable.Range(1, 19).Select(i => $"{i}"), "DRAINED"], order);
    }

    [Fact]
    public void An_interior_without_room_is_told_of_once_and_asked_again()
    {
        const int Addresses = 1500;
        _interior.Cut();
        var narrow = new InteriorPeer(_scene, channelMax: 2);
        List<(IRoute Route, NetworkService Service)> drawn = [];
        for (int i = 0; i < Addresses; i++)
        {
            var service = new NetworkService(_scene.Network, static (_, _) => null);
            drawn.Add((_scene.Network.OpenReceiver($"many.{i}", service)!, service));
        }

        _scene.Node.Settle();
        int room = narrow.Places.Count;
        Assert.InRange(room, 1000, Addresses - 1);
        Assert.Single(_scene.Node.Faults.Warnings, text => text.Contains("takes no link", StringComparison.Ordinal));

        // Nobody asks before its time, and then there is room for some.
        const int Gone = 100;
        drawn[..Gone].ForEach(one => _scene.Network.CloseReceiver(one.Route, one.Service));
        _scene.Node.Settle();
        Assert.Equal(room - Gone, narrow.Places.Count);
        _scene.Node.Advance(5000);
        Assert.Equal(room, narrow.Places.Count);
        _scene.Node.Advance(5000);
        Assert.Equal(room, narrow.Places.Count);
        Assert.Single(_scene.Node.Faults.Warnings, text => text.Contains("takes no link", StringComparison.Ordinal));
    }

    private static (string? Address, bool IsFromNode, string? Capability)[] Shown(InteriorPeer interior) =>
    [
        .. interior.Places.Select(link => (link.Address, link.IsFromNode, link.Capability))
            .OrderBy(link => link.Address, StringComparer.Ordinal).ThenBy(link => link.IsFromNode),
    ];

    private static string? Text(AmqpMap map, string key) =>
        map.TryGet(key, out AmqpValue value) ? value.AsText() : null;

    private AmqpPeer Attaching(string address, bool toSend)
    {
        AmqpPeer client = _scene.Client();
        client.Send(FrameBytes.Of(toSend
            ? Steps.SenderAttach(0, address)
            : Steps.ReceiverAttach(0, new Source { Address = address })));
        return client;
    }

    private void MakeQueue(string name)
    {
        AmqpPeer maker = _scene.Client();
        maker.AttachSender(0, $"queue://{name}");
        // The node looks what its broker has got with its clock.
        _scene.Node.Advance(1000);
    }

    private static byte[] Tracked(string queue, bool isThere) =>
        AmqpMessage.FromValue(AmqpValue.List($"M0_$broker.queue/{queue}", isThere)).ToArray();

    private void Reply(
        string address, bool toSend, bool isLinkRoute, bool hasDestinations, AmqpValue? broker = null) =>
        _interior.Reply(address, toSend, isLinkRoute, hasDestinations, broker);

    private void Answer(AmqpMessage question, int status, AmqpValue body) => _interior.Answer(question, status, body);
}
