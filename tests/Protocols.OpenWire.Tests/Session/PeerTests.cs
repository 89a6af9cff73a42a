using Pillarbox.Broker.Management;
using Pillarbox.Broker.Queues;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>What ActiveMQ's clients rely on and its broker does, command by command.</summary>
public sealed class PeerTests
{
    private static readonly Destination Orders = Destination.Queue("orders");

    // Any other exception lets the failover transport try again, for ever.
    [Fact]
    public void A_refused_login_is_told_as_javas_own_security_exception()
    {
        using var scene = new OpenWireScene(new OpenWireOptions { AllowAnonymous = false });
        OpenWirePeer peer = scene.Greeted();
        Response refused = peer.Ask(OpenWireSteps.Login());
        Assert.Equal("java.lang.SecurityException", Assert.IsType<ExceptionResponse>(refused).Exception!.ClassName);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Removing_a_topic_takes_no_queue_of_its_name()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(Removal(Destination.Topic("orders"))));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.NotNull(peer.Take<MessageDispatch>());
    }

    [Fact]
    public void Removing_a_queue_takes_it_unless_somebody_consumes_from_it()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        OpenWirePeer consumer = scene.InSession(loginAs: "other");
        Good(consumer.Ask(OpenWireSteps.Consumer(Orders, prefetch: 0, connection: "other")));
        Assert.IsType<ExceptionResponse>(peer.Ask(Removal(Orders)));
        consumer.Cut();
        Good(peer.Ask(Removal(Orders)));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.Null(peer.Take<MessageDispatch>());
    }

    [Fact]
    public void A_durable_subscription_that_is_in_use_is_neither_taken_nor_removed()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        ConsumerInfo durable = OpenWireSteps.Consumer(Destination.Topic("news"));
        durable.SubscriptionName = "sub";
        Good(peer.Ask(durable));
        ConsumerInfo second = OpenWireSteps.Consumer(Destination.Topic("news"));
        second.ConsumerId = OpenWireSteps.ConsumerId with { Value = 2 };
        second.SubscriptionName = "sub";
        Assert.IsType<ExceptionResponse>(peer.Ask(second));
        var removal = new RemoveSubscriptionInfo
        {
            ConnectionId = OpenWireSteps.ConnectionId, SubscriptionName = "sub", ClientId = "peer",
        };
        Assert.IsType<ExceptionResponse>(peer.Ask(removal));
        Good(peer.Ask(new RemoveInfo { ObjectId = OpenWireSteps.ConsumerId }));
        Good(peer.Ask(removal));
        Response gone = peer.Ask(removal);
        Assert.Equal(
            ThrowableNames.InvalidDestination, Assert.IsType<ExceptionResponse>(gone).Exception!.ClassName);
    }

    [Fact]
    public void A_window_is_given_back_for_what_is_not_answered()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Message message = FirstOfWindow(peer);
        Assert.Null(peer.Take<ProducerAck>());
        message.MessageId = message.MessageId! with { ProducerSequence = 2 };
        peer.Send(message, asks: false);
        ProducerAck given = peer.Take<ProducerAck>()!;
        Assert.Equal((message.ProducerId, message.AccountedBytes), (given.ProducerId, given.Size));
    }

    [Fact]
    public void A_window_is_given_back_also_when_the_queue_was_removed_meanwhile()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Message message = FirstOfWindow(peer);
        Good(peer.Ask(new DestinationInfo
        {
            ConnectionId = OpenWireSteps.ConnectionId, Destination = Orders, Operation = DestinationInfo.Remove,
        }));
        message.MessageId = message.MessageId! with { ProducerSequence = 2 };
        peer.Send(message, asks: false);
        Assert.Equal(message.AccountedBytes, peer.Take<ProducerAck>()!.Size);
    }

    [Fact]
    public void A_pull_of_two_queues_is_answered_by_the_message_of_one_and_no_more()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Destination both = Destination.Queue("orders,bills");
        Good(peer.Ask(OpenWireSteps.Consumer(both, prefetch: 0)));
        Good(peer.Ask(new MessagePull
        {
            ConsumerId = OpenWireSteps.ConsumerId, Destination = both, TimeoutMs = -1,
        }));
        Assert.NotNull(peer.Take<MessageDispatch>()!.Message);
        Assert.Null(peer.Take<MessageDispatch>());
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(700, 1000)]
    public void A_pull_that_finds_nothing_is_answered_by_nothing(long timeoutMs, int afterMs)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Orders, prefetch: 0)));
        Good(peer.Ask(new MessagePull
        {
            ConsumerId = OpenWireSteps.ConsumerId, Destination = Orders, TimeoutMs = timeoutMs,
        }));
        if (afterMs > 0)
        {
            Assert.Null(peer.Take<MessageDispatch>());
            scene.Advance(afterMs);
        }

        Assert.Null(peer.Take<MessageDispatch>()!.Message);
    }

    [Fact]
    public void A_consumer_takes_more_with_a_larger_prefetch()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Orders, prefetch: 1)));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 2)));
        Assert.NotNull(peer.Take<MessageDispatch>());
        Assert.Null(peer.Take<MessageDispatch>());
        Good(peer.Ask(new ConsumerControl
        {
            ConsumerId = OpenWireSteps.ConsumerId, Destination = Orders, Prefetch = 10,
        }));
        Assert.NotNull(peer.Take<MessageDispatch>());
    }

    // An application whose wait was interrupted asks again, and not for ever.
    [Fact]
    public void A_second_pull_takes_the_place_of_one_that_waits()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Orders, prefetch: 0)));
        foreach (long timeoutMs in (long[])[0, -1])
        {
            Assert.Null(peer.Take<MessageDispatch>());
            Good(peer.Ask(new MessagePull
            {
                ConsumerId = OpenWireSteps.ConsumerId, Destination = Orders, TimeoutMs = timeoutMs,
            }));
        }

        Assert.Null(peer.Take<MessageDispatch>()!.Message);
        Assert.Null(peer.Take<MessageDispatch>());
    }

    [Fact]
    public void A_consumer_that_comes_to_have_no_prefetch_can_pull_while_it_has_not_acknowledged()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Orders, prefetch: 2)));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Assert.NotNull(peer.Take<MessageDispatch>());
        Good(peer.Ask(new ConsumerControl { ConsumerId = OpenWireSteps.ConsumerId, Destination = Orders }));
        Good(peer.Ask(new MessagePull { ConsumerId = OpenWireSteps.ConsumerId, Destination = Orders }));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 2)));
        Assert.Equal(2, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public void A_browser_sees_all_and_then_the_end(int prefetch)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        for (int number = 1; number <= 500; number++)
        {
            Good(peer.Ask(OpenWireSteps.Text(Orders, number)));
        }

        ConsumerInfo browser = OpenWireSteps.Consumer(Orders, prefetch);
        browser.Browser = true;
        Good(peer.Ask(browser));
        for (int number = 1; number <= 500; number++)
        {
            MessageDispatch got = peer.Take<MessageDispatch>()!;
            Assert.Equal(number, got.Message!.MessageId!.ProducerSequence);
            Good(peer.Ask(OpenWireSteps.Ack(got)));
        }

        Assert.Null(peer.Take<MessageDispatch>()!.Message);
        Assert.Null(peer.Take<MessageDispatch>());
    }

    [Fact]
    public void A_durable_subscription_outlives_a_selector_that_is_none()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        ConsumerInfo durable = Durable(selector: null);
        Good(peer.Ask(durable));
        Good(peer.Ask(new RemoveInfo { ObjectId = durable.ConsumerId }));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("news"), 1)));
        Response refused = peer.Ask(Durable(selector: "color = "));
        Assert.Equal(
            ThrowableNames.InvalidSelector, Assert.IsType<ExceptionResponse>(refused).Exception!.ClassName);
        Good(peer.Ask(Durable(selector: null)));
        Assert.Equal(1, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);

        // Another selector is another subscription.
        Good(peer.Ask(new RemoveInfo { ObjectId = durable.ConsumerId }));
        Good(peer.Ask(Durable(selector: "color = 'red'")));
        Assert.Null(peer.Take<MessageDispatch>());
    }

    // What ActiveMQConnection.getDestinationSource reads.
    [Theory]
    [InlineData("ActiveMQ.Advisory.Queue,ActiveMQ.Advisory.Topic,ActiveMQ.Advisory.TempQueue")]
    [InlineData("ActiveMQ.Advisory.>")]
    public void A_listener_hears_of_the_queues_that_are_there_and_of_later_ones(string topics)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Topic(topics))));
        Assert.Equal(["orders"], Queues(peer));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("later"), 2)));
        Assert.Equal(["later"], Queues(peer));
        Good(peer.Ask(new RemoveInfo { ObjectId = OpenWireSteps.ConsumerId }));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("unheard"), 3)));
        Assert.Empty(Queues(peer));
    }

    [Fact]
    public void A_listener_hears_of_topics_and_of_what_has_gone()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        OpenWirePeer other = scene.InSession(loginAs: "other");
        ConsumerInfo reader = OpenWireSteps.Consumer(Destination.Topic("news"), connection: "other");
        Good(other.Ask(reader));
        Good(peer.Ask(OpenWireSteps.Consumer(
            Destination.Topic("ActiveMQ.Advisory.Queue,ActiveMQ.Advisory.Topic"))));
        Assert.Equal(["+topic://news"], Changes(peer));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("sports"), 2)));
        Assert.Equal(["+queue://orders", "+topic://sports"], Changes(peer));
        Good(peer.Ask(Removal(Orders)));
        Good(other.Ask(new RemoveInfo { ObjectId = reader.ConsumerId }));
        Assert.Equal(["-queue://orders", "-topic://news"], Changes(peer));
    }

    [Fact]
    public void A_temporary_topic_is_told_by_its_own_advisories_alone()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Topic("ActiveMQ.Advisory.>"))));
        Assert.NotNull(peer.Take<MessageDispatch>());
        var own = new Destination(DataType.TempTopic) { PhysicalName = "ID:peer:1" };
        Good(peer.Ask(new DestinationInfo { ConnectionId = OpenWireSteps.ConnectionId, Destination = own }));
        ConsumerInfo reader = OpenWireSteps.Consumer(own);
        reader.ConsumerId = OpenWireSteps.ConsumerId with { Value = 7 };
        Good(peer.Ask(reader));
        Good(peer.Ask(Removal(own)));
        Good(peer.Ask(new RemoveInfo { ObjectId = reader.ConsumerId }));
        Assert.Equal(["+temp-topic://ID:peer:1", "-temp-topic://ID:peer:1"], Changes(peer));
    }

    [Fact]
    public void A_listener_of_producers_hears_how_many_there_are()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Topic("ActiveMQ.Advisory.Producer.Queue.orders"))));
        ProducerId id = OpenWireSteps.ProducerId with { Value = 9 };
        Good(peer.Ask(new ProducerInfo { ProducerId = id, Destination = Orders }));
        Assert.Contains("producerCount", PropertiesOf(peer.Take<MessageDispatch>()!), StringComparison.Ordinal);
    }

    [Fact]
    public void A_producer_that_is_refused_leaves_nothing_behind()
    {
        using var scene = new OpenWireScene(new OpenWireOptions { ProducersMax = 2 });
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Topic("ActiveMQ.Advisory.Producer.>"))));
        // The first is the queue's name, the second stands for many.
        foreach (string name in (string[])["orders", "news.*"])
        {
            var refused = new ProducerInfo
            {
                ProducerId = OpenWireSteps.ProducerId with { Value = 7 },
                Destination = Destination.Topic(name),
            };
            Assert.IsType<ExceptionResponse>(peer.Ask(refused));
            Message message = OpenWireSteps.Text(Orders, 2);
            message.ProducerId = refused.ProducerId;
            Assert.IsType<ExceptionResponse>(peer.Ask(message));
        }

        Assert.Null(peer.Take<MessageDispatch>());
        ProducerId id = OpenWireSteps.ProducerId with { Value = 8 };
        Good(peer.Ask(new ProducerInfo { ProducerId = id, Destination = Orders }));
        Assert.Equal(id, ((ProducerInfo)peer.Take<MessageDispatch>()!.Message!.DataStructure!).ProducerId);
    }

    // An operator knows a subscription by its topic, and the queue of a virtual topic by both.
    [Fact]
    public async Task Management_shows_subscriptions_as_queues_of_their_topics()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        ConsumerInfo durable = Durable(selector: "color = 'red'");
        durable.NoLocal = true;
        Good(peer.Ask(durable));
        ConsumerInfo reader = OpenWireSteps.Consumer(Destination.Queue("Consumer.A.VirtualTopic.x"));
        reader.ConsumerId = OpenWireSteps.ConsumerId with { Value = 2 };
        Good(peer.Ask(reader));
        Task<IReadOnlyList<QueueView>> views = scene.Broker.Management.ListQueuesAsync(Identity.Node, "default");
        scene.Settle();
        QueueConfig[] shown = [.. (await views).Select(v => v.Config).OrderBy(c => c.Name)];
        Assert.Equal(
            [("Consumer.A.VirtualTopic.x", "VirtualTopic.x", -1), ("peer.sub", "news", 1)],
            shown.Select(c => (c.Name, c.Address, c.ConsumersMax)));
        Assert.All(
            shown, c => Assert.True(c is { Durable: true, AutoCreated: true, RoutingType: RoutingType.Multicast }));
        Assert.Equal(("color = 'red'", "peer"), (shown[1].Filter, shown[1].NotFrom));
    }

    private static List<string> Queues(OpenWirePeer peer)
    {
        var names = new List<string>();
        while (peer.Take<MessageDispatch>() is { } dispatch)
        {
            if (dispatch.Message!.DataStructure is DestinationInfo { Destination: { Kind: DataType.Queue } queue })
            {
                names.Add(queue.PhysicalName!);
            }
        }

        return names;
    }

    private static List<string> Changes(OpenWirePeer peer)
    {
        var changes = new List<string>();
        while (peer.Take<MessageDispatch>() is { } dispatch)
        {
            if (dispatch.Message!.DataStructure is DestinationInfo told)
            {
                changes.Add($"{(told.Operation == DestinationInfo.Remove ? '-' : '+')}{told.Destination}");
            }
        }

        return changes;
    }

    private static string PropertiesOf(MessageDispatch dispatch) =>
        System.Text.Encoding.Latin1.GetString(dispatch.Message!.MarshalledProperties!.Value.Span);

    private static ConsumerInfo Durable(string? selector)
    {
        ConsumerInfo durable = OpenWireSteps.Consumer(Destination.Topic("news"));
        durable.SubscriptionName = "sub";
        durable.Selector = selector;
        return durable;
    }

    private static DestinationInfo Removal(Destination destination) => new()
    {
        ConnectionId = OpenWireSteps.ConnectionId,
        Destination = destination,
        Operation = DestinationInfo.Remove,
    };

    // Its producer has a window, and it is answered.
    private static Message FirstOfWindow(OpenWirePeer peer)
    {
        ProducerId id = OpenWireSteps.ProducerId with { Value = 9 };
        Good(peer.Ask(new ProducerInfo { ProducerId = id, Destination = Orders, WindowSize = 65_536 }));
        Message message = OpenWireSteps.Text(Orders, 1);
        message.ProducerId = id;
        message.MessageId = new MessageId { Producer = id, ProducerSequence = 1 };
        Good(peer.Ask(message));
        return message;
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
