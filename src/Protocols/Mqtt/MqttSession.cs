using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>
/// The rules of one client that is let in: packets in, calls on the broker's client and packets out. Reads no clock and
/// waits for nothing. A session that outlives its connection is a durable queue for its messages and one for its
/// <see cref="SessionState"/>; this object lasts as long as the connection. Owned by the connection.
/// </summary>
internal sealed partial class MqttSession
{
    private const int RoundsMax = 8;

    private readonly MqttEnvironment _environment;
    private readonly PacketWriter _output;
    private readonly ConnectPacket _connect;
    private readonly SessionQueues _queues;
    private readonly BrokerClient _client;
    private readonly MqttVersion _version;
    private readonly SubscriptionTable _subscriptions = new();
    private readonly Consumer _consumer;
    private readonly Producer _producer;
    private readonly IMqttConnection _connection;
    private readonly RetainedStore _retained;
    private IReadOnlySet<ushort>? _sentBefore;
    private bool _isStarted;

    public MqttSession(
        MqttEnvironment environment, PacketWriter output, ConnectPacket connect, SessionQueues queues,
        IMqttConnection connection)
    {
        _environment = environment;
        _connection = connection;
        _retained = environment.RetainedOf(queues.Client.Info.AddressSpace);
        _will = connect.Will;
        _output = output;
        _connect = connect;
        _queues = queues;
        _client = queues.Client;
        _version = connect.Version;
        _topics = new TopicTable(Options.KnownTopicsMax, Options.TopicAliasMaximum);
        _aliases = new SentAliases(Math.Min(connect.TopicAliasMaximum, Options.TopicAliasesSentMax));
        _window = new OutgoingWindow(
            Math.Min(connect.ReceiveMaximum, Options.InFlightMax), Options.PacketIdMax);
        _consumer = _client.OpenConsumer(new ConsumerOptions
        {
            Queue = queues.Queue,
            Exclusive = true,
            Format = PayloadFormat.Mqtt,
        });
        _producer = _client.OpenProducer(new ProducerOptions { MakesNoAddress = true });
    }

    /// <summary>Milliseconds since the Unix epoch, as of this pass.</summary>
    public long NowMs { get; set; }

    /// <summary>The node ends the session; null: it goes on.</summary>
    public (ReasonCode Reason, string Text)? End { get; private set; }

    /// <summary>What it must not forget; null: it ends with its connection.</summary>
    public SessionState? State => _queues.State;

    /// <summary>Whether what was kept of it is here.</summary>
    public bool IsLoaded => State?.IsLoaded ?? true;

    private MqttOptions Options => _environment.Options;

    /// <summary>The client has been told that it is let in: what was kept takes effect, and messages flow.</summary>
    public void Start()
    {
        _isStarted = true;
        _sentBefore = _environment.SentBefore.Take(new ClientKey(_client.Info.AddressSpace, _client.Info.ClientId));
        if (State is not null)
        {
            Resume(State);
        }

        _client.Grant(_consumer, Options.PrefetchMax);
    }

    /// <summary>Takes one packet after CONNECT.</summary>
    public void Receive(in FixedHeader header, ReadOnlySpan<byte> body)
    {
        switch (header.Type)
        {
            case PacketType.Publish:
                OnPublish(PublishPacket.Read(header.Flags, body, _version));
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                OnAnswer(AckPacket.Read(header.Type, body, _version));
                break;
            case PacketType.PubRel:
                OnPubRel(AckPacket.Read(header.Type, body, _version));
                break;
            case PacketType.Subscribe:
                OnSubscribe(SubscribePacket.Read(body, _version));
                break;
            case PacketType.Unsubscribe:
                OnUnsubscribe(UnsubscribePacket.Read(body, _version));
                break;
            case PacketType.PingReq:
                OnPing(body);
                break;
            default:
                MqttException.Protocol($"{header.Type} is not for a server at this time");
                break;
        }
    }

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: messages are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        for (int round = 0; round < RoundsMax; round++)
        {
            EndPass();
            _client.Flush();
            _client.DrainInbox(this);
            HearRetained();
            bool wrote = _isStarted && (WriteDeliveries(outputLimit) | WriteRetained(outputLimit));
            GrantOwed();
            if (!wrote && !_client.HasEvents && _transaction is null)
            {
                break;
            }
        }

        EndPass();
        _client.Flush();
        return _client.HasEvents || (_isStarted && (CanWrite || CanWriteRetained));
    }

    /// <summary>Hands everything that the client has said so far to the broker.</summary>
    public void Flush()
    {
        EndPass();
        _client.Flush();
    }

    /// <summary>Gives everything back; what outlives the connection waits in its queues.</summary>
    public void Close(ClientKey key)
    {
        _large?.Body.Abort();
        LeaveWill(key);
        EndUnanswered(shared: null);
        GiveBackSent();
        Flush();
        if (State is not null && _queues.ExpirySeconds > 0)
        {
            _environment.SentBefore.Put(key, SentOnce());
        }

        try
        {
            LeaveShared();
        }
        catch (BrokerException)
        {
            // The disk takes nothing: their time begins with the next start of the node.
        }

        _queues.Close();
    }

    private void OnPing(ReadOnlySpan<byte> body)
    {
        new MqttReader(body).End();
        var to = new MqttWriter(_output.GetSpan(2));
        to.Header(PacketType.PingResp, 0, 0);
        _output.Advance(to.Count);
    }

    private void EndWith(ReasonCode reason, string text) => End ??= (reason, text);

    private void Answer(PacketType type, ushort id, ReasonCode reason = ReasonCode.Success, string? text = null) =>
        new AckPacket(type, id, ReasonTable.For(type, reason)).Write(
            _output, _version, _connect.RequestProblemInformation ? text : null, _connect.MaximumPacketSize);
}
