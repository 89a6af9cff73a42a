using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// What a client that has logged in does. Used by the connection's loop alone.
/// </summary>
internal sealed partial class ConnectedClient
{
    // Every connection has a session -1 for its own consumers.
    private const long NodeSession = -1;

    private readonly OpenWireEnvironment _environment;
    private readonly ClientTraits _traits;
    private readonly PassClock _clock;
    private readonly InputHold _hold;
    private readonly ConnectionFacts _facts;
    private readonly OpenWireMessageMap _map = new();
    private readonly TransactionCommands _transactions;
    private readonly HashSet<long> _sessions = [NodeSession];

    public ConnectedClient(
        OpenWireEnvironment environment, BrokerClient client, ClientTraits traits, CommandOutput output,
        PassClock clock, InputHold hold)
    {
        _environment = environment;
        _traits = traits;
        _clock = clock;
        _hold = hold;
        Client = client;
        Output = output;
        _facts = new ConnectionFacts(environment.Advisories);
        _transactions = new TransactionCommands(output, Options);
    }

    public BrokerClient Client { get; }

    /// <summary>Why the connection is to end; null: it is not.</summary>
    public string? EndReason { get; private set; }

    private OpenWireOptions Options => _environment.Options;

    private CommandOutput Output { get; }

    private string _space => _traits.Space;

    private string _clientId => _traits.ClientId;

    private long NowMs => _clock.NowMs;

    private long SteadyMs => _clock.SteadyMs;

    /// <summary>Whether input waits: the broker, or its disk, is behind.</summary>
    public bool IsHeldBack => IsProducerHeldBack || Client.IsBehind;

    /// <summary>Others hear that the client is there.</summary>
    public void Introduce(ConnectionInfo login) =>
        Tell(AdvisoryTopics.Connection(_space, login, _traits.Inbox));

    /// <summary>Gives everything back.</summary>
    public void Leave()
    {
        ForgetFacts();
        CloseConsumers();
        Client.Dispose();
    }

    private void Tell(AdvisoryFact fact) => _facts.Tell(fact);

    private void Untell(IEnumerable<AdvisoryFact> facts) => _facts.Untell(facts);

    private void ForgetFacts() => _facts.Clear();

    private void TellError(WireThrowable exception) => Output.TellError(exception);

    private void End(string reason) => EndReason ??= reason;

    /// <summary>Does what a command asks for. True: it is done and may be answered; false: it will be.</summary>
    /// <exception cref="OpenWireException">It has no place here, or is refused.</exception>
    /// <exception cref="BrokerException">It is refused.</exception>
    /// <exception cref="XaException">A step of a branch is refused.</exception>
    public bool Perform(Command command)
    {
        switch (command)
        {
            case Message message:
                OnMessage(message);
                return false;
            case MessageAck ack:
                return OnAck(ack);
            case MessagePull pull:
                OnPull(pull);
                return true;
            case TransactionInfo transaction:
                CheckConnection(transaction.ConnectionId?.Value);
                return _transactions.Perform(transaction, Client);
            case ConsumerInfo consumer:
                OnConsumerInfo(consumer);
                return AnswersWhenMade(command);
            case ProducerInfo producer:
                OnProducerInfo(producer);
                return AnswersWhenMade(command);
            case SessionInfo session:
                OnSessionInfo(session);
                return true;
            case RemoveInfo remove:
                OnRemove(remove);
                return true;
            case DestinationInfo destination:
                OnDestinationInfo(destination);
                return AnswersWhenMade(command);
            case RemoveSubscriptionInfo subscription:
                OnRemoveSubscription(subscription);
                return AnswersWhenMade(command);
            default:
                return PerformRare(command);
        }
    }

    private bool PerformRare(Command command)
    {
        switch (command)
        {
            case ConsumerControl control:
                OnConsumerControl(control);
                return true;
            case PlainCommand or ControlCommand or ConnectionControl or ConnectionError:
                return true;
            case ConnectionInfo:
                throw new OpenWireException("a second ConnectionInfo on one connection");
            case BrokerInfo or BrokerSubscriptionInfo or MessageDispatchNotification:
                throw new OpenWireException("networks of ActiveMQ brokers are not joined");
            default:
                throw new OpenWireException($"a {command.Type} is the node's to send");
        }
    }

    private void OnSessionInfo(SessionInfo info)
    {
        CheckConnection(info.SessionId?.Connection);
        if (_sessions.Count > Options.SessionsMax)
        {
            throw OpenWireException.TooMany("sessions", Options.SessionsMax);
        }

        _sessions.Add(info.SessionId!.Value);
    }

    private void OnRemove(RemoveInfo remove)
    {
        switch (remove.ObjectId)
        {
            case ConsumerId consumer:
                RemoveConsumer(consumer, remove.LastDeliveredSequence);
                break;
            case ProducerId producer:
                RemoveProducer(producer);
                break;
            case SessionId session:
                RemoveSession(session.Value, remove.LastDeliveredSequence);
                break;
            case ConnectionId:
                RemoveAll(remove.LastDeliveredSequence);
                break;
            default:
                throw new OpenWireException($"a {remove.ObjectId?.Type} cannot be removed");
        }
    }

    private void RemoveSession(long session, long lastDelivered)
    {
        foreach (ConsumerId consumer in _consumers.Keys.Where(id => id.Session == session).ToArray())
        {
            RemoveConsumer(consumer, lastDelivered);
        }

        foreach (ProducerId producer in _producers.Keys.Where(id => id.Session == session).ToArray())
        {
            RemoveProducer(producer);
        }

        _sessions.Remove(session);
    }

    // The client has closed its connection; the transport's end follows.
    private void RemoveAll(long lastDelivered)
    {
        foreach (long session in _sessions.ToArray())
        {
            RemoveSession(session, lastDelivered);
        }

        _sessions.Add(NodeSession);
        RemoveTemporaries();
        ForgetFacts();
    }

    private void CheckConnection(string? connection)
    {
        if (connection is null || connection != _traits.Connection.Value)
        {
            throw new OpenWireException(
                ThrowableNames.IllegalState, $"the connection '{connection}' is not registered here")
            {
                IsCommandOnly = true,
            };
        }
    }

    private void CheckSession(string? connection, long session)
    {
        CheckConnection(connection);
        if (!_sessions.Contains(session))
        {
            throw new OpenWireException(ThrowableNames.IllegalState, $"there is no session {session}")
            {
                IsCommandOnly = true,
            };
        }
    }

    // What a command has made is answered when it is on disk; input waits for that.
    private bool AnswersWhenMade(Command command)
    {
        if (Client.WhenMade() is not { } made)
        {
            return true;
        }

        int commandId = command.CommandId;
        bool isAnswered = command.ResponseRequired;
        WaitFor(made, () =>
        {
            if (isAnswered)
            {
                Output.Respond(commandId);
            }
        });
        return false;
    }

    private void WaitFor(Task gate, Action after) => _hold.Until(gate, after);

    /// <summary>A client that does not wait for the answer of a send must not commit without it.</summary>
    public void FailTransaction(Command command, string reason)
    {
        if (command is Message { ResponseRequired: false, TransactionId: { } id })
        {
            _transactions.Fail(id, reason);
        }
    }
}
