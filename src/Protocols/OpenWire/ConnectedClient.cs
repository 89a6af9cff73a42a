using Pillarbox.Broker;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Destinations;
using Pillarbox.Protocols.OpenWire.Logins;
using Pillarbox.Protocols.OpenWire.Producers;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// A client that has logged in: each of its commands goes to the object that it is about, each event of the broker to
/// the object that waits for it. Used by the connection's loop alone.
/// </summary>
internal sealed partial class ConnectedClient
{
    private readonly BrokerClient _client;
    private readonly ClientTraits _traits;
    private readonly CommandOutput _output;
    private readonly PassClock _clock;
    private readonly InputHold _hold;
    private readonly PeerSessions _sessions;
    private readonly ConnectionFacts _facts;
    private readonly AdvisoryListeners _listeners;
    private readonly DestinationCommands _destinations;
    private readonly TransactionCommands _transactions;
    private readonly ProducerTable _producers;
    private readonly Sends _sends;
    private readonly DispatchTurns _turns;
    private readonly ConsumerTable _consumers;
    private readonly PullWaits _pulls;
    private readonly Acknowledgements _acknowledgements;

    public ConnectedClient(
        OpenWireEnvironment environment, BrokerClient client, ClientTraits traits, CommandOutput output,
        PassClock clock, InputHold hold)
    {
        _client = client;
        _traits = traits;
        _output = output;
        _clock = clock;
        _hold = hold;
        OpenWireOptions options = environment.Options;
        AdvisoryHub hub = environment.Advisories;
        var map = new OpenWireMessageMap();
        var names = new RememberedNames(options);
        _sessions = new PeerSessions(traits.Connection.Value!, options);
        _facts = new ConnectionFacts(hub);
        _listeners = new AdvisoryListeners(environment, client, traits);
        _destinations = new DestinationCommands(client, traits, _facts, options);
        _transactions = new TransactionCommands(output, options);
        _producers = new ProducerTable(client, traits, names, _facts, options);
        var rules = new SendRules(client, traits, names, hub);
        var publisher = new Publisher(client, _producers, map, hold, options);
        _sends = new Sends(client, _producers, rules, _transactions, publisher, output);
        _turns = new DispatchTurns(client, new Dispatches(client, traits, map, output), output);
        var inlets = new InletOpener(environment, client, traits, names, _destinations, _listeners);
        _consumers = new ConsumerTable(client, traits, inlets, _facts, _turns, options);
        _pulls = new PullWaits(client, _consumers, _turns);
        _acknowledgements = new Acknowledgements(client, _consumers, _transactions, _turns, options);
    }

    /// <summary>Its part of the broker.</summary>
    public BrokerClient Client => _client;

    /// <summary>Which of its consumers writes, and reads from disk.</summary>
    public DispatchTurns Turns => _turns;

    /// <summary>Its consumers that wait for a message.</summary>
    public PullWaits Pulls => _pulls;

    /// <summary>Whether input waits: the broker, or its disk, is behind.</summary>
    public bool IsHeldBack => _producers.IsHeldBack || _client.IsBehind;

    /// <summary>Why the connection is to end; null: it is not.</summary>
    public string? EndReason { get; private set; }

    /// <summary>Others hear that the client is there.</summary>
    public void Introduce(ConnectionInfo login) =>
        _facts.Tell(AdvisoryTopics.Connection(_traits.Space, login, _traits.Inbox));

    /// <summary>Gives everything back: consumers, transactions. Once, at the end.</summary>
    public void Leave()
    {
        _facts.Clear();
        _consumers.CloseAll();
        _client.Dispose();
    }

    /// <summary>Does what a command asks for. True: it is done and may be answered; false: it will be.</summary>
    /// <exception cref="OpenWireException">It has no place here, or is refused.</exception>
    /// <exception cref="BrokerException">It is refused.</exception>
    /// <exception cref="XaException">A step of a branch is refused.</exception>
    public bool Perform(Command command)
    {
        switch (command)
        {
            case Message message:
                _sends.Take(message, _clock.NowMs);
                return false;
            case MessageAck ack:
                return _acknowledgements.Take(ack);
            case MessagePull pull:
                _pulls.Begin(pull, _clock.SteadyMs);
                return true;
            case TransactionInfo transaction:
                _sessions.CheckConnection(transaction.ConnectionId?.Value);
                return _transactions.Perform(transaction, _client);
            case SessionInfo session:
                _sessions.Add(session);
                return true;
            case RemoveInfo remove:
                Remove(remove);
                return true;
            case ConsumerControl control:
                _consumers.Control(control);
                return true;
            default:
                return PerformRare(command);
        }
    }

    /// <summary>A client that does not wait for the answer of a send must not commit without it.</summary>
    public void FailTransaction(Command command, string reason)
    {
        if (command is Message { ResponseRequired: false, TransactionId: { } id })
        {
            _transactions.Fail(id, reason);
        }
    }

    // What may be made on disk; or what is nothing, or has no place here.
    private bool PerformRare(Command command)
    {
        switch (command)
        {
            case ConsumerInfo { ConsumerId: var id } consumer:
                _sessions.CheckSession(id?.Connection, id?.Session ?? 0);
                _consumers.Open(consumer);
                return AnswersWhenMade(command);
            case ProducerInfo { ProducerId: var id } producer:
                _sessions.CheckSession(id?.Connection, id?.Session ?? 0);
                _producers.Open(producer);
                return AnswersWhenMade(command);
            case DestinationInfo destination:
                _sessions.CheckConnection(destination.ConnectionId?.Value);
                _destinations.Perform(destination);
                return AnswersWhenMade(command);
            case RemoveSubscriptionInfo subscription:
                _sessions.CheckConnection(subscription.ConnectionId?.Value);
                _consumers.RemoveSubscription(subscription);
                return AnswersWhenMade(command);
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

    private void Remove(RemoveInfo remove)
    {
        switch (remove.ObjectId)
        {
            case ConsumerId consumer:
                _consumers.Remove(consumer, remove.LastDeliveredSequence);
                break;
            case ProducerId producer:
                _producers.Remove(producer);
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
        _consumers.RemoveOf(session, lastDelivered);
        _producers.RemoveOf(session);
        _sessions.Remove(session);
    }

    // The client has closed its connection; the transport's end follows.
    private void RemoveAll(long lastDelivered)
    {
        foreach (long session in _sessions.All.ToArray())
        {
            RemoveSession(session, lastDelivered);
        }

        _sessions.Clear();
        _destinations.RemoveTemporaries();
        _facts.Clear();
    }

    // What a command has made is answered when it is on disk; input waits for that.
    private bool AnswersWhenMade(Command command)
    {
        if (_client.WhenMade() is not { } made)
        {
            return true;
        }

        int commandId = command.CommandId;
        bool isAnswered = command.ResponseRequired;
        _hold.Until(made, () =>
        {
            if (isAnswered)
            {
                _output.Respond(commandId);
            }
        });
        return false;
    }
}
