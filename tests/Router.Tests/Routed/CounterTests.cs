using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>What passes is counted by link, by address and by node.</summary>
public sealed class CounterTests : IDisposable
{
    private readonly RoutedScene _scene = new(
        new AddressRule { Pattern = "all.#", Treatment = AddressTreatment.Multicast },
        new AddressRule { Pattern = "fast", Priority = 9 });

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Outcomes_are_counted_at_both_links_and_by_the_node()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        byte[][] states =
        [
            [.. DeliveryState.Accepted], [.. DeliveryState.Accepted], [.. DeliveryState.Accepted],
            [.. DeliveryState.Rejected], [.. DeliveryState.Rejected],
            [.. DeliveryState.Released],
            [.. DeliveryState.ModifiedFailed],
        ];
        for (uint id = 0; id < states.Length; id++)
        {
            sender.Transfer(0, id, Steps.Message("m"));
            receiver.Send(Settle(id, states[id]));
        }

        sender.Transfer(0, 7, Steps.Message("m"), settled: true);
        sender.Transfer(0, 8, Steps.Message("m"));

        RouterView view = _scene.Network.View();
        foreach (string direction in (string[])["in", "out"])
        {
            LinkView link = view.Links.Single(l => l.Direction == direction);
            Assert.Equal((9, 3, 2), (link.DeliveryCount, link.Deliveries.Accepted, link.Deliveries.Rejected));
            Assert.Equal((1, 1, 1),
                (link.Deliveries.Released, link.Deliveries.Modified, link.Deliveries.Presettled));
            Assert.Equal((0, 1), (link.Undelivered, link.Unsettled));
        }

        // They entered here; one is not at its end.
        Assert.Equal(8, Assert.Single(view.Links.Single(l => l.Direction == "out").IngressHistogram));
        Assert.Equal((9, 9, 0), (view.Deliveries.Ingress, view.Deliveries.Egress, view.Deliveries.Transit));
        Assert.Equal((3, 2, 1, 1, 1), (view.Deliveries.Accepted, view.Deliveries.Rejected, view.Deliveries.Released,
            view.Deliveries.Modified, view.Deliveries.Presettled));
        AddressView address = view.Addresses.Single(a => a.Key == "M0news");
        Assert.Equal((9, 9, 0), (address.Ingress, address.Egress, address.Transit));
    }

    [Fact]
    public void What_waits_for_credit_is_undelivered_and_its_link_is_blocked_in_the_end()
    {
        _scene.Receiver("news", credit: 0);
        AmqpPeer sender = _scene.Sender("news");
        sender.Transfer(0, 0, Steps.Message("m"));
        sender.Transfer(0, 1, Steps.Message("m"));
        LinkView outgoing = Outgoing();
        Assert.Equal((2, 0, 0), (outgoing.Undelivered, outgoing.Unsettled, outgoing.ZeroCreditSeconds));
        Assert.Equal(0, _scene.Network.View().LinksBlocked);

        _scene.Node.Clock.Advance(12_000);

        Assert.Equal(12, Outgoing().ZeroCreditSeconds);
        Assert.Equal(1, _scene.Network.View().LinksBlocked);
    }

    [Fact]
    public void Late_settlements_are_delayed_and_what_is_never_settled_is_stuck()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Transfer(0, 0, Steps.Message("m"));
        _scene.Node.Clock.Advance(2_000);
        receiver.Send(Settle(0, DeliveryState.Accepted));
        sender.Transfer(0, 1, Steps.Message("m"));
        _scene.Node.Clock.Advance(11_000);
        receiver.Send(Settle(1, DeliveryState.Accepted));
        Assert.Equal((1, 1, 0), Slow());

        sender.Transfer(0, 2, Steps.Message("m"));
        _scene.Node.Clock.Advance(30_000);
        _scene.Node.Settle();
        _scene.Node.Clock.Advance(20_000);
        _scene.Node.Settle();

        Assert.Equal((1, 1, 1), Slow());
        Assert.Equal(1, Outgoing().Deliveries.Stuck);
    }

    [Fact]
    public void The_rate_is_that_of_the_last_five_seconds()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        for (uint id = 0; id < 20; id++)
        {
            sender.Transfer(0, id, Steps.Message("m"));
            receiver.Send(Settle(id, DeliveryState.Accepted));
        }

        _scene.Node.Clock.Advance(1_000);
        Assert.Equal(4, Outgoing().SettleRate);
        _scene.Node.Clock.Advance(10_000);
        Assert.Equal(0, Outgoing().SettleRate);
    }

    [Fact]
    public void What_nobody_wants_is_released_or_dropped()
    {
        AmqpPeer sender = _scene.Sender(address: null);
        sender.Transfer(0, 0, MessageTo("nobody"));
        sender.Transfer(0, 1, MessageTo("nobody"), settled: true);
        DeliveryCounters counters = _scene.Network.View().Links.Single().Deliveries;
        Assert.Equal((1, 1, 0), (counters.Released, counters.DroppedPresettled, counters.Ingress));
        Assert.Equal(1, _scene.Network.View().Deliveries.DroppedPresettled);
    }

    [Fact]
    public void Each_address_of_an_anonymous_sender_has_its_own_count_and_each_copy_counts()
    {
        _scene.Receiver("one");
        _scene.Receiver("all.x");
        _scene.Receiver("all.x");
        AmqpPeer sender = _scene.Sender(address: null);
        string[] to = ["one", "all.x", "one", "all.x", "one"];
        for (uint id = 0; id < to.Length; id++)
        {
            sender.Transfer(0, id, MessageTo(to[id]));
        }

        Assert.Equal((3, 3), Passed("M0one"));
        Assert.Equal((2, 4), Passed("M0all.x"));
    }

    [Fact]
    public void Counts_outlive_the_links_that_counted()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer sender = _scene.Sender("news");
        sender.Transfer(0, 0, Steps.Message("m"));
        receiver.Send(Settle(0, DeliveryState.Accepted));
        sender.Cut();
        Assert.Equal((1, 1), Passed("M0news"));
        Assert.Equal((1, 1), (_scene.Network.View().Deliveries.Ingress, _scene.Network.View().Deliveries.Accepted));
    }

    [Fact]
    public void What_the_node_itself_takes_and_gives_is_counted_apart()
    {
        AmqpPeer sender = _scene.Sender("$management");
        sender.Transfer(0, 0, Steps.Message("no request"));
        AddressView agent = _scene.Network.View().Addresses.Single(a => a.Key == "M0$management");
        Assert.Equal((1, 0, 1, 1), (agent.Ingress, agent.Egress, agent.ToContainer, agent.InProcess));
    }

    [Fact]
    public void The_priority_of_an_address_is_shown()
    {
        _scene.Receiver("fast");
        _scene.Receiver("usual");
        RouterView view = _scene.Network.View();
        Assert.Equal(9, view.Addresses.Single(a => a.Key == "M0fast").Priority);
        Assert.Equal(-1, view.Addresses.Single(a => a.Key == "M0usual").Priority);
    }

    private LinkView Outgoing() => _scene.Network.View().Links.Single(l => l.Direction == "out");

    private (long Delayed1Sec, long Delayed10Sec, long Stuck) Slow()
    {
        DeliveryCounters all = _scene.Network.View().Deliveries;
        return (all.Delayed1Sec, all.Delayed10Sec, all.Stuck);
    }

    private (long In, long Out) Passed(string key)
    {
        AddressView address = _scene.Network.View().Addresses.Single(a => a.Key == key);
        return (address.Ingress, address.Egress);
    }

    private static byte[] Settle(uint id, ReadOnlySpan<byte> state) => FrameBytes.Of(
        new Disposition { Role = Role.Receiver, First = id, Settled = true, State = state });

    private static byte[] MessageTo(string address) => new AmqpMessage
    {
        Properties = new MessageProperties { To = address },
        BodyKind = BodyKind.Value,
        Value = 1,
    }.ToArray();
}
