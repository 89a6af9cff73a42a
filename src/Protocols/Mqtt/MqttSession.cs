using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Deliveries;
using Pillarbox.Protocols.Mqtt.Incoming;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Subscriptions;
using Pillarbox.Protocols.Mqtt.Wills;
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
    private readonly ClientOutput _output;
    private readonly SessionQueues _queues;
    private readonly BrokerClient _client;
    private readonly MqttVersion _version;
    private readonly SessionEnd _end = new();
    private readonly PassTransaction _pass;
    private readonly OwnQueue _own;
    private readonly RetainRequests _retains;
    private readonly RetainedReplies _retainedReplies;
    private readonly UnansweredPublishes _unanswered;
    private readonly ClientPublishes _publishes;
    private readonly SessionWill? _will;
    private readonly OutgoingWindow _window;
    private readonly ConsumerCredit _consumerCredit;
    private readonly OutgoingAnswers _answers;
    private readonly MessageSender _sender;
    private readonly PendingAcks _acks;
    private readonly SessionSubscriptions _subscriptions;
    private readonly SubscriptionTable _table = new();
    private readonly Consumer _consumer;
    private readonly Producer _producer;
    private bool _isStarted;

    public MqttSession(
        MqttEnvironment environment, PacketWriter output, ConnectPacket connect, SessionQueues queues,
        IMqttConnection connection)
    {
        _environment = environment;
        _queues = queues;
        _client = queues.Client;
        _version = connect.Version;
        _output = new ClientOutput(output, connect, Options.TopicAliasesSentMax);
        _window = new OutgoingWindow(
            Math.Min(connect.ReceiveMaximum, Options.InFlightMax), Options.PacketIdMax);
        _consumer = _client.OpenConsumer(new ConsumerOptions
        {
            Queue = queues.Queue,
            Exclusive = true,
            Format = PayloadFormat.Mqtt,
        });
        _producer = _client.OpenProducer(new ProducerOptions { MakesNoAddress = true });
        RetainedStore retained = environment.RetainedOf(_client.Info.AddressSpace);
        _will = connect.Will is { } will ? new SessionWill(environment, queues, retained, will) : null;
        _pass = new PassTransaction(_client);
        _own = new OwnQueue(queues);
        _retains = new RetainRequests(retained, connection);
        _retainedReplies = new RetainedReplies(
            retained, _client, _own, _output, Options.RetainedStepsPerPass, environment.Logger);
        _unanswered = new UnansweredPublishes(State, _output, _end, _retains, Options.ReceiveMaximum);
        _publishes = new ClientPublishes(queues, _producer, Options, _unanswered, _retains, _pass);
        _consumerCredit = new ConsumerCredit(_client, _consumer);
        _answers = new OutgoingAnswers(queues, _window, _consumerCredit, _output);
        var takeOver = new SharedTakeOver(_client, _pass, _own, _consumerCredit, environment.Logger);
        _sender = new MessageSender(queues, _table, _window, _answers, takeOver, _output);
        _acks = new PendingAcks(_output, _end);
        _subscriptions = new SessionSubscriptions(queues, Options, _table, _sender, _retainedReplies, _acks);
    }

    /// <summary>Milliseconds since the Unix epoch, as of this pass.</summary>
    public long NowMs { get; set; }

    /// <summary>The node ends the session; null: it goes on.</summary>
    public (ReasonCode Reason, string Text)? End => _end.Cause;

    /// <summary>What it must not forget; null: it ends with its connection.</summary>
    public SessionState? State => _queues.State;

    /// <summary>Whether what was kept of it is here.</summary>
    public bool IsLoaded => State?.IsLoaded ?? true;

    /// <summary>Whether retained messages of the client are on disk, and it has not been told. Any thread.</summary>
    public bool HasRetained => _retains.HasDone;

    /// <summary>Whether the broker takes no more messages now; the input waits.</summary>
    public bool IsInputPaused => End is not null || _publishes.IsPaused;

    /// <summary>A large message goes to its file: the input waits until this has ended, then <see cref="OnFileReady"/>
    /// is called. Null: none does.</summary>
    public Task? FileReady => _publishes.FileReady;

    private MqttOptions Options => _environment.Options;

    /// <summary>A message that has to be read from disk before the next can be sent.</summary>
    public bool TryTakeRead(out Delivery delivery, out bool isState)
    {
        if (State is { } state && state.TryPeekUnread(out delivery))
        {
            return isState = true;
        }

        isState = false;
        return _sender.TryTakeRead(out delivery);
    }

    /// <summary>Reads a message whole, from its file if need be. Throws <see cref="Storage.DamagedRecordException"/>.
    /// </summary>
    public Task<LoadedMessage> ReadAsync(Delivery delivery, CancellationToken cancellation) =>
        LoadedMessage.ReadAsync(_client, delivery, cancellation);

    /// <summary>What was read.</summary>
    public void OnRead(bool isState, in Delivery delivery, LoadedMessage message)
    {
        if (isState)
        {
            State!.OnRead(message.Payload.ToArray());
        }
        else
        {
            _sender.OnRead(delivery, message);
        }
    }

    /// <summary>It is damaged, or cannot be had as an MQTT message.</summary>
    public void OnReadFailed(bool isState, in Delivery delivery, Exception fault)
    {
        if (isState)
        {
            State!.OnRead(null);
        }
        else
        {
            _sender.OnReadFailed(delivery, fault);
        }
    }

    /// <summary>The file is written: the message is published.</summary>
    public void OnFileReady() => _publishes.OnFileReady();

    /// <summary>The client said goodbye: its will is not published.</summary>
    public void ForgetWill() => _will?.Forget();

    /// <summary>The client has been told that it is let in: what was kept takes effect, and messages flow.</summary>
    public void Start()
    {
        _isStarted = true;
        _sender.Resume(
            _environment.SentBefore.Take(new ClientKey(_client.Info.AddressSpace, _client.Info.ClientId)));
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
                _publishes.OnPublish(PublishPacket.Read(header.Flags, body, _version), NowMs);
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                _answers.OnAnswer(AckPacket.Read(header.Type, body, _version));
                break;
            case PacketType.PubRel:
                _unanswered.OnPubRel(AckPacket.Read(header.Type, body, _version));
                break;
            case PacketType.Subscribe:
                _subscriptions.OnSubscribe(SubscribePacket.Read(body, _version));
                _producer.SignsRecords = _table.HasNoLocal;
                break;
            case PacketType.Unsubscribe:
                _subscriptions.OnUnsubscribe(UnsubscribePacket.Read(body, _version));
                _producer.SignsRecords = _table.HasNoLocal;
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
            _pass.End();
            _client.Flush();
            _client.DrainInbox(this);
            _unanswered.HearRetained();
            bool wrote = _isStarted && (_sender.Write(outputLimit, NowMs) | _retainedReplies.Write(outputLimit, NowMs));
            _consumerCredit.Grant();
            if (!wrote && !_client.HasEvents && !_pass.IsOpen)
            {
                break;
            }
        }

        _pass.End();
        _client.Flush();
        return _client.HasEvents || (_isStarted && (_sender.CanWrite || _retainedReplies.CanWrite));
    }

    /// <summary>Hands everything that the client has said so far to the broker.</summary>
    public void Flush()
    {
        _pass.End();
        _client.Flush();
    }

    /// <summary>Gives everything back; what outlives the connection waits in its queues.</summary>
    public void Close(ClientKey key)
    {
        _publishes.Abort();
        _retains.Leave();
        if (_isStarted)
        {
            _will?.Leave(key, _producer, NowMs);
        }

        _answers.EndUnanswered(shared: null);
        _answers.GiveBackSent();
        Flush();
        if (State is not null && _queues.ExpirySeconds > 0)
        {
            _environment.SentBefore.Put(key, _answers.SentOnce());
        }

        try
        {
            _subscriptions.LeaveShared();
        }
        catch (BrokerException)
        {
            // The disk takes nothing: their time begins with the next start of the node.
        }

        _queues.Close();
    }

    private void Resume(SessionState state)
    {
        _subscriptions.Resume(state);
        _producer.SignsRecords = _table.HasNoLocal;
        foreach (ushort id in state.Incoming)
        {
            _unanswered.Resume(id);
        }

        _sender.ResumeKept();
    }

    private void OnPing(ReadOnlySpan<byte> body)
    {
        new MqttReader(body).End();
        _output.Pong();
    }
}
