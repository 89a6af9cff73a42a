using System.Buffers.Binary;
using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>Delays, groups, exclusive consumers and wildcards of queues, on the wire.</summary>
public sealed class QueueRuleTests
{
    private static readonly Destination Orders = Destination.Queue("orders");

    [Theory]
    [InlineData(nameof(PrimitiveType.Long))]
    [InlineData(nameof(PrimitiveType.Int))]
    [InlineData(nameof(PrimitiveType.String))]
    public void A_delayed_message_comes_when_it_is_due(string type)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Message late = With(
            OpenWireSteps.Text(Orders, 1), ("AMQ_SCHEDULED_DELAY", Enum.Parse<PrimitiveType>(type), 5000));
        Good(peer.Ask(late));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 2)));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.Equal(2, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        scene.Advance(4000);
        Assert.Null(peer.Take<MessageDispatch>());
        scene.Advance(2000);
        Assert.Equal(1, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
    }

    [Theory]
    [InlineData("AMQ_SCHEDULED_PERIOD", nameof(PrimitiveType.Long), 10)]
    [InlineData("AMQ_SCHEDULED_REPEAT", nameof(PrimitiveType.Int), 3)]
    [InlineData("AMQ_SCHEDULED_CRON", nameof(PrimitiveType.String), 1)]
    [InlineData("AMQ_SCHEDULED_DELAY", nameof(PrimitiveType.Boolean), 1)]
    public void What_cannot_be_scheduled_is_refused(string name, string type, int value)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Message message = With(OpenWireSteps.Text(Orders, 1), (name, Enum.Parse<PrimitiveType>(type), value));
        Response refused = peer.Ask(message);
        Assert.Contains("AMQ_SCHEDULED_", Assert.IsType<ExceptionResponse>(refused).Exception!.Message);
        Good(peer.Ask(OpenWireSteps.Text(Orders, 2)));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.Equal(2, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        Assert.Null(peer.Take<MessageDispatch>());
    }

    // One queue, as each of a virtual topic is, and none of the queues that happen to match its topic.
    [Fact]
    public void A_queue_of_virtual_topics_gets_what_is_sent_to_each_of_them()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("VirtualTopic.c"), 1)));
        ConsumerInfo reader = OpenWireSteps.Consumer(Destination.Queue("Consumer.A.VirtualTopic.>"));
        Good(peer.Ask(reader));
        Assert.Null(peer.Take<MessageDispatch>());
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("VirtualTopic.a"), 2)));
        Assert.Equal(2, NumberOf(peer));
        Good(peer.Ask(new RemoveInfo { ObjectId = reader.ConsumerId }));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("VirtualTopic.b"), 3)));
        Good(peer.Ask(reader));
        Assert.Equal([2, 3], (long[])[NumberOf(peer), NumberOf(peer)]);
        Assert.Null(peer.Take<MessageDispatch>());
    }

    [Fact]
    public void Every_consumer_of_a_virtual_topic_is_no_queue_of_its_own()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Queue("Consumer.*.VirtualTopic.a"))));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("VirtualTopic.a"), 1)));
        Assert.Null(peer.Take<MessageDispatch>());
        Assert.IsType<ExceptionResponse>(
            peer.Ask(OpenWireSteps.Text(Destination.Queue("Consumer.*.VirtualTopic.a"), 2)));
    }

    [Fact]
    public void A_transaction_does_not_commit_without_a_message_that_was_refused_unheard()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        Message message = With(OpenWireSteps.Text(Orders, 1), ("AMQ_SCHEDULED_CRON", PrimitiveType.String, 1));
        message.TransactionId = id;
        peer.Send(message, asks: false);
        Response commit = peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.CommitOnePhase));
        Assert.Equal(ThrowableNames.RolledBack, Assert.IsType<ExceptionResponse>(commit).Exception!.ClassName);
    }

    // A client of a transaction does not wait for the answer of each send.
    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public void A_transaction_does_not_commit_without_a_message_that_the_broker_refused(int bytes)
    {
        using var scene = new OpenWireScene(new OpenWireOptions { LargeMessageBytesMin = 1000 }, b => b with
        {
            AddressSettings = new Dictionary<string, AddressSettings>
            {
                ["orders"] = new() { MaxSizeMessages = 1, AddressFullPolicy = AddressFullPolicy.Fail },
            },
        });
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        Message message = OpenWireSteps.Text(Orders, 2);
        message.Content = new byte[bytes];
        message.TransactionId = id;
        peer.Send(message, asks: false);
        Response commit = peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.CommitOnePhase));
        Assert.Equal(ThrowableNames.RolledBack, Assert.IsType<ExceptionResponse>(commit).Exception!.ClassName);
    }

    [Fact]
    public void A_group_goes_to_one_consumer_until_it_is_closed_or_the_consumer_leaves()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(Consumer(1)));
        Good(peer.Ask(Consumer(2)));
        for (int i = 1; i <= 6; i++)
        {
            Good(peer.Ask(Grouped(i, "a", i)));
        }

        List<MessageDispatch> got = [.. peer.Received.OfType<MessageDispatch>()];
        Assert.Equal(6, got.Count);
        Assert.Single(got.Select(dispatch => dispatch.ConsumerId).Distinct());
        Assert.Equal(
            [true, false, false, false, false, false],
            got.Select(dispatch => dispatch.Message!.GroupFirstForConsumer));
        peer.Received.Clear();
        Good(peer.Ask(new RemoveInfo { ObjectId = got[0].ConsumerId }));
        Good(peer.Ask(Grouped(7, "a", 7)));
        got = [.. peer.Received.OfType<MessageDispatch>()];
        Assert.Equal(
            [1, 2, 3, 4, 5, 6, 7], got.Select(dispatch => dispatch.Message!.MessageId!.ProducerSequence).Order());
        Assert.Single(got.Select(dispatch => dispatch.ConsumerId).Distinct());
    }

    [Fact]
    public void A_negative_sequence_closes_the_group()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(Consumer(1, prefetch: 2)));
        Good(peer.Ask(Grouped(1, "a", 1)));
        Good(peer.Ask(Grouped(2, "a", -1)));
        Good(peer.Ask(Consumer(2)));
        Good(peer.Ask(Grouped(3, "a", 1)));
        Assert.Equal([1, 1, 2], peer.Received.OfType<MessageDispatch>().Select(dispatch => dispatch.ConsumerId!.Value));
    }

    [Fact]
    public void An_exclusive_consumer_gets_everything()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(Consumer(1)));
        ConsumerInfo exclusive = Consumer(2);
        exclusive.Exclusive = true;
        Good(peer.Ask(exclusive));
        for (int i = 1; i <= 4; i++)
        {
            Good(peer.Ask(OpenWireSteps.Text(Orders, i)));
        }

        Assert.Equal(
            [2, 2, 2, 2], peer.Received.OfType<MessageDispatch>().Select(dispatch => dispatch.ConsumerId!.Value));
        Good(peer.Ask(new RemoveInfo { ObjectId = exclusive.ConsumerId }));
        Assert.Equal(4, peer.Received.OfType<MessageDispatch>().Count(dispatch => dispatch.ConsumerId!.Value == 1));
    }

    [Theory]
    [InlineData("east.*")]
    [InlineData("east.>")]
    public void A_wildcard_takes_from_all_queues_that_match_now_and_later(string wildcard)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("east.1"), 1)));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("west.1"), 2)));
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Queue(wildcard))));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("east.2"), 3)));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("east.3"), 4)));
        List<MessageDispatch> got = [.. peer.Received.OfType<MessageDispatch>()];
        Assert.Equal(["east.1", "east.2"], got.Select(dispatch => dispatch.Destination!.PhysicalName));
        Assert.Equal(["east.1", "east.2"], got.Select(dispatch => dispatch.Message!.Destination!.PhysicalName));
        Good(peer.Ask(OpenWireSteps.Ack(got[1])));
        Good(peer.Ask(new RemoveInfo { ObjectId = OpenWireSteps.ConsumerId }));
        peer.Received.Clear();
        Good(peer.Ask(OpenWireSteps.Text(Destination.Queue("east.4"), 5)));
        Assert.Null(peer.Take<MessageDispatch>());
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Queue(wildcard))));
        Assert.Equal("east.4", Assert.Single(peer.Received.OfType<MessageDispatch>()).Destination!.PhysicalName);
        Assert.Empty(scene.Faults.Errors);
    }

    [Fact]
    public void A_wildcard_that_matches_nothing_ends_its_waits_and_its_looks()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Consumer(Destination.Queue("none.*"), prefetch: 0)));
        peer.Ask(new MessagePull { ConsumerId = OpenWireSteps.ConsumerId, TimeoutMs = -1 });
        Assert.Null(peer.Take<MessageDispatch>()!.Message);
        peer.Ask(new MessagePull { ConsumerId = OpenWireSteps.ConsumerId, TimeoutMs = 1000 });
        Assert.Null(peer.Take<MessageDispatch>());
        scene.Advance(2000);
        Assert.Null(peer.Take<MessageDispatch>()!.Message);
        ConsumerInfo browser = OpenWireSteps.Consumer(Destination.Queue("none.>"));
        browser.ConsumerId = OpenWireSteps.ConsumerId with { Value = 2 };
        browser.Browser = true;
        Good(peer.Ask(browser));
        Assert.Null(peer.Take<MessageDispatch>()!.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_topic_that_is_a_stream_is_read_from_now_on_or_from_its_first_record(bool isRetroactive)
    {
        using var scene = new OpenWireScene();
        var grant = scene.Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName("log", null));
        scene.Broker.Streams.Create(grant, new StreamSpec { Name = "log", Partitions = 1 });
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("log"), 1)));
        ConsumerInfo consumer = OpenWireSteps.Consumer(Destination.Topic("log"));
        consumer.Retroactive = isRetroactive;
        Good(peer.Ask(consumer));
        Good(peer.Ask(OpenWireSteps.Text(Destination.Topic("log"), 2)));
        Assert.Equal(
            isRetroactive ? ["b", "c"] : ["c"],
            peer.Received.OfType<MessageDispatch>()
                .Select(dispatch => Encoding.UTF8.GetString(dispatch.Message!.Content!.Value.Span[4..])));
        Assert.Empty(scene.Faults.Errors);
    }

    private static ConsumerInfo Consumer(long value, int prefetch = 100)
    {
        ConsumerInfo info = OpenWireSteps.Consumer(Orders, prefetch);
        info.ConsumerId = OpenWireSteps.ConsumerId with { Value = value };
        return info;
    }

    private static Message Grouped(int number, string group, int sequence)
    {
        Message message = OpenWireSteps.Text(Orders, number);
        message.GroupId = WireText.From(group);
        message.GroupSequence = sequence;
        return message;
    }

    private static Message With(Message message, (string Name, PrimitiveType Type, int Value) property)
    {
        using var bytes = new MemoryStream();
        Write(bytes, 4, 1);
        Write(bytes, 2, property.Name.Length);
        bytes.Write(Encoding.ASCII.GetBytes(property.Name));
        bytes.WriteByte((byte)property.Type);
        switch (property.Type)
        {
            case PrimitiveType.String:
                string text = $"{property.Value}";
                Write(bytes, 2, text.Length);
                bytes.Write(Encoding.ASCII.GetBytes(text));
                break;
            case PrimitiveType.Boolean:
                bytes.WriteByte((byte)property.Value);
                break;
            default:
                Write(bytes, property.Type == PrimitiveType.Long ? 8 : 4, property.Value);
                break;
        }

        message.MarshalledProperties = bytes.ToArray();
        return message;
    }

    private static void Write(MemoryStream to, int width, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        to.Write(bytes[(8 - width)..]);
    }

    private static long NumberOf(OpenWirePeer peer) =>
        peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence;

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
