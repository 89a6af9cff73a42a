using Pillarbox.Broker.Management;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>The rules of a connection, with the real broker on one thread.</summary>
public sealed class SessionTests
{
    private static readonly Destination Orders = Destination.Queue("orders");

    [Theory]
    [InlineData(1, false, false)]
    [InlineData(12, false, true)]
    [InlineData(5, true, false)]
    [InlineData(12, true, true)]
    public void A_message_goes_in_and_comes_out(int version, bool isTight, bool isCached)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession(new WireFormat(version, isTight, isCached));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 7)));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        MessageDispatch got = peer.Take<MessageDispatch>()!;
        Assert.Equal(OpenWireSteps.ConsumerId, got.ConsumerId);
        Assert.Equal(7, got.Message!.MessageId!.ProducerSequence);
        Assert.Equal(Orders, got.Message.Destination);
        Assert.Equal("00000001" + "68", Convert.ToHexString(got.Message.Content!.Value.Span));
        Good(peer.Ask(OpenWireSteps.Ack(got)));
        peer.Cut();
        OpenWirePeer again = scene.InSession();
        again.Ask(OpenWireSteps.Consumer(Orders));
        Assert.Null(again.Take<MessageDispatch>());
    }

    [Fact]
    public void Whatever_split_the_conversation_has()
    {
        var commands = new CommandBytes(new WireFormat(12, IsTight: true));
        byte[] bytes =
        [
            .. commands.Greeting(), .. commands.Of(OpenWireSteps.Login()), .. commands.Of(OpenWireSteps.Session()),
            .. commands.Of(OpenWireSteps.Producer()), .. commands.Of(OpenWireSteps.Text(Orders, 1)),
        ];
        for (int cut = 1; cut < bytes.Length; cut++)
        {
            using var scene = new OpenWireScene();
            OpenWirePeer peer = scene.Connect();
            peer.Wanted = new WireFormat(12, IsTight: true);
            peer.Send(bytes.AsSpan(0, cut));
            peer.Send(bytes.AsSpan(cut));
            Assert.Equal(4, peer.Received.OfType<Response>().Count(response => response is not ExceptionResponse));
        }
    }

    [Fact]
    public void Sizes_may_be_left_out()
    {
        using var scene = new OpenWireScene();
        var format = new WireFormat(12, HasSizePrefix: false);
        var commands = new CommandBytes(format);
        OpenWirePeer peer = scene.Connect();
        byte[] bytes =
        [
            .. commands.Greeting(), .. commands.Of(OpenWireSteps.Login()), .. commands.Of(OpenWireSteps.Session()),
            .. commands.Of(OpenWireSteps.Producer()), .. commands.Of(OpenWireSteps.Text(Orders, 1)),
        ];
        foreach (byte one in bytes)
        {
            peer.SendBlindly([one]);
        }

        OpenWirePeer other = scene.InSession(loginAs: "other");
        other.Ask(OpenWireSteps.Consumer(Orders, connection: "other"));
        Assert.NotNull(other.Take<MessageDispatch>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_can_fail_over_hears_where_the_nodes_are(bool canFailOver)
    {
        using var scene = new OpenWireScene(
            new OpenWireOptions { NodeUris = ["tcp://one:61616", "tcp://two:61616"] });
        OpenWirePeer peer = scene.Greeted();
        ConnectionInfo login = OpenWireSteps.Login();
        login.FaultTolerant = canFailOver;
        Good(peer.Ask(login));
        ConnectionControl? told = peer.Take<ConnectionControl>();
        Assert.Equal(canFailOver ? "tcp://one:61616,tcp://two:61616" : null, told?.ConnectedBrokers);
        Assert.Equal(canFailOver, told?.FaultTolerant ?? false);
    }

    /// <summary>What has no place before the greeting, before the login, and after it.</summary>
    [Fact]
    public void Each_command_has_its_place()
    {
        foreach (DataType type in Wire.DataTypesUnderTest.All)
        {
            if (DataTypes.Create(type) is not Command)
            {
                continue;
            }

            Assert.True(IsEndedBy(type, scene => scene.Connect()), $"{type} before the greeting");
            bool early = type is DataType.ConnectionInfo or DataType.KeepAliveInfo or DataType.ConnectionControl;
            Assert.True(early || IsEndedBy(type, scene => scene.Greeted()), $"{type} before the login");
            bool ends = type is DataType.ShutdownInfo or DataType.ConnectionInfo or DataType.BrokerInfo
                or DataType.BrokerSubscriptionInfo or DataType.MessageDispatchNotification or DataType.MessageDispatch
                or DataType.ProducerAck or (>= DataType.Response and <= DataType.IntegerResponse)
                or DataType.RemoveInfo or DataType.DestinationInfo or DataType.TransactionInfo;
            bool isEnded = IsEndedBy(type, scene => scene.InSession());
            // These three end it only when what they name cannot be; empty ones may be refused alone.
            bool either = type is DataType.RemoveInfo or DataType.DestinationInfo or DataType.TransactionInfo;
            Assert.True(either || ends == isEnded, $"{type} after the login: {(isEnded ? "ended" : "went on")}");
        }
    }

    [Fact]
    public void Commands_without_ids_are_refused_and_the_connection_goes_on()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Assert.IsType<ExceptionResponse>(peer.Ask(new ConsumerInfo { Destination = Orders }));
        Assert.IsType<ExceptionResponse>(peer.Ask(new ProducerInfo { Destination = Orders }));
        Assert.IsType<ExceptionResponse>(peer.Ask(new SessionInfo()));
        Assert.IsType<ExceptionResponse>(peer.Ask(new MessagePull()));
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Assert.Empty(scene.Faults.Errors);
    }

    [Fact]
    public void A_peer_that_goes_while_its_input_waits_is_let_go()
    {
        using var scene = new OpenWireScene();
        var commands = new CommandBytes(new WireFormat(12));
        OpenWirePeer peer = scene.Connect();
        var bytes = new List<byte>();
        bytes.AddRange(commands.Greeting());
        bytes.AddRange(commands.Of(OpenWireSteps.Login()));
        bytes.AddRange(commands.Of(OpenWireSteps.Session()));
        bytes.AddRange(commands.Of(OpenWireSteps.Producer()));
        bytes.AddRange(commands.Of(OpenWireSteps.Consumer(Destination.Topic("t"))));
        for (int i = 0; i < 20; i++)
        {
            bytes.AddRange(commands.Of(OpenWireSteps.Text(Orders, i)));
        }

        peer.SendAndCut(bytes.ToArray());
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Acknowledgements_of_every_type()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        for (int i = 1; i <= 6; i++)
        {
            peer.Ask(OpenWireSteps.Text(Orders, i));
        }

        peer.Ask(OpenWireSteps.Consumer(Orders, prefetch: 2));
        MessageDispatch first = peer.Take<MessageDispatch>()!;
        MessageDispatch second = peer.Take<MessageDispatch>()!;
        Assert.Null(peer.Take<MessageDispatch>());
        Good(peer.Ask(OpenWireSteps.Ack(second, AckType.Redelivered)));
        Assert.Null(peer.Take<MessageDispatch>());
        Good(peer.Ask(OpenWireSteps.Ack(first, AckType.Delivered)));
        MessageDispatch third = peer.Take<MessageDispatch>()!;
        Assert.Null(peer.Take<MessageDispatch>());
        Good(peer.Ask(OpenWireSteps.Ack(second, AckType.Individual)));
        MessageDispatch fourth = peer.Take<MessageDispatch>()!;
        Good(peer.Ask(OpenWireSteps.Ack(third)));
        MessageDispatch fifth = peer.Take<MessageDispatch>()!;
        Good(peer.Ask(OpenWireSteps.Ack(fourth, AckType.Poison)));
        Good(peer.Ask(OpenWireSteps.Ack(fifth, AckType.Unmatched)));
        Assert.Equal(6, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
    }

    /// <summary>It would end its connection at such a frame, and get it again when it is back.</summary>
    [Fact]
    public void What_is_longer_than_a_clients_frames_goes_to_another()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer sender = scene.InSession();
        Message large = OpenWireSteps.Text(Orders, 1);
        large.Content = new byte[10_000];
        Good(sender.Ask(large));
        Good(sender.Ask(OpenWireSteps.Text(Orders, 2)));
        const string Small = "ID:small";
        OpenWirePeer small = scene.Connect();
        small.Wanted = new WireFormat(12);
        small.Send(small.BytesOf(new WireFormatInfo { Version = 12, MaxFrameSize = 5_000 }.Seal()));
        small.Ask(OpenWireSteps.Login(Small));
        small.Ask(OpenWireSteps.Session(Small));
        small.Ask(OpenWireSteps.Consumer(Orders, connection: Small));
        Assert.Equal(2, small.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        Assert.Null(small.Take<MessageDispatch>());
        const string Other = "ID:other";
        OpenWirePeer other = scene.InSession(loginAs: Other);
        other.Ask(OpenWireSteps.Consumer(Orders, connection: Other));
        Assert.Equal(1, other.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
    }

    /// <summary>The client's clock is ahead. What has no time cannot be over: that is a failed attempt.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_client_finds_expired_goes_where_expired_messages_go(bool hasTime)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Message message = OpenWireSteps.Text(Orders, 1);
        message.Expiration = hasTime ? scene.Clock.GetUtcNow().ToUnixTimeMilliseconds() + 60_000 : 0;
        Good(peer.Ask(message));
        peer.Ask(OpenWireSteps.Consumer(Orders));
        MessageDispatch got = peer.Take<MessageDispatch>()!;
        Good(peer.Ask(OpenWireSteps.Ack(got, AckType.Expired)));
        Task<IReadOnlyList<QueueView>> views = scene.Broker.Management.ListQueuesAsync(Identity.Node, "default");
        scene.Settle();
        string[] filled = [.. (await views).Where(q => q.MessageCount > 0).Select(q => q.Config.Name)];
        Assert.Equal(hasTime ? "ExpiryQueue" : "orders", Assert.Single(filled));
        Assert.Equal(hasTime ? null : 1, peer.Take<MessageDispatch>()?.RedeliveryCounter);
    }

    [Fact]
    public void An_acknowledgement_over_what_a_transaction_holds_is_answered()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        peer.Ask(OpenWireSteps.Text(Orders, 1));
        peer.Ask(OpenWireSteps.Text(Orders, 2));
        peer.Ask(OpenWireSteps.Consumer(Orders));
        MessageDispatch first = peer.Take<MessageDispatch>()!;
        MessageDispatch second = peer.Take<MessageDispatch>()!;
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        MessageAck held = OpenWireSteps.Ack(first);
        held.TransactionId = id;
        Good(peer.Ask(held));
        MessageAck both = OpenWireSteps.Ack(second);
        both.FirstMessageId = first.Message!.MessageId;
        Good(peer.Ask(both));
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.CommitOnePhase)));
    }

    [Fact]
    public void An_acknowledgement_of_what_was_never_sent_breaks_its_transaction_only()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        peer.Ask(OpenWireSteps.Text(Orders, 1));
        peer.Ask(OpenWireSteps.Consumer(Orders));
        MessageDispatch got = peer.Take<MessageDispatch>()!;
        got.Message!.MessageId!.BrokerSequence += 100;
        Good(peer.Ask(OpenWireSteps.Ack(got)));
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        MessageAck ack = OpenWireSteps.Ack(got);
        ack.TransactionId = id;
        Assert.IsType<ExceptionResponse>(peer.Ask(ack));
        Response commit = peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.CommitOnePhase));
        Assert.Equal(ThrowableNames.RolledBack, Assert.IsType<ExceptionResponse>(commit).Exception!.ClassName);
    }

    [Fact]
    public void A_transaction_with_more_acknowledgements_than_fit_ends_the_connection()
    {
        using var scene = new OpenWireScene(configure: options => options with { TransactionBytesMax = 1000 });
        OpenWirePeer peer = scene.InSession();
        for (int i = 0; i < 20; i++)
        {
            peer.Ask(OpenWireSteps.Text(Orders, i));
        }

        peer.Ask(OpenWireSteps.Consumer(Orders));
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        for (int i = 0; i < 20 && !peer.IsEnded; i++)
        {
            MessageAck ack = OpenWireSteps.Ack(peer.Take<MessageDispatch>()!);
            ack.TransactionId = id;
            peer.Send(ack, asks: false);
        }

        Assert.True(peer.IsEnded);
        Assert.NotNull(peer.Take<ConnectionError>());
        OpenWirePeer other = scene.InSession(loginAs: "other");
        other.Ask(OpenWireSteps.Consumer(Orders, connection: "other"));
        Assert.Equal(20, other.Received.OfType<MessageDispatch>().Count());
    }

    [Fact]
    public void Silence_is_answered_by_the_clock()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.Connect();
        var greeting = new WireFormatInfo { Version = 12, MaxInactivityDurationMs = 3000 };
        peer.Wanted = new WireFormat(12);
        peer.Send(peer.BytesOf(greeting.Seal()));
        peer.Ask(OpenWireSteps.Login());
        scene.Advance(1500);
        Assert.NotNull(peer.Take<PlainCommand>());
        Assert.False(peer.IsEnded);
        scene.Advance(2000);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Who_does_not_log_in_is_let_go()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.Greeted();
        scene.Advance(11_000);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void A_client_id_has_one_connection_and_its_own_client_takes_it_back()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer first = scene.InSession();
        OpenWirePeer thief = scene.Greeted();
        ConnectionInfo login = OpenWireSteps.Login();
        login.ConnectionId = new ConnectionId { Value = "ID:another" };
        Response refused = thief.Ask(login);
        Assert.Equal(
            ThrowableNames.InvalidClientId, Assert.IsType<ExceptionResponse>(refused).Exception!.ClassName);
        Assert.False(first.IsEnded);
        scene.InSession();
        Assert.True(SpinWait.SpinUntil(() => first.IsEnded, 10_000));
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());

    private static bool IsEndedBy(DataType type, Func<OpenWireScene, OpenWirePeer> connect)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = connect(scene);
        peer.Send((Command)DataTypes.Create(type)!);
        Assert.Empty(scene.Faults.Errors);
        return peer.IsEnded;
    }
}
