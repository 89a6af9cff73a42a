using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>Where a connection stands.</summary>
internal enum ConnectionState : byte
{
    /// <summary>Waits for WireFormatInfo.</summary>
    Start,

    /// <summary>Both know how to write; waits for ConnectionInfo.</summary>
    Negotiated,

    /// <summary>A password is being checked, or an older connection of the client gives up its id.</summary>
    LoggingIn,

    /// <summary>Everything may be sent.</summary>
    Connected,

    /// <summary>Over: what is written goes out, nothing more is read.</summary>
    Ended,
}

/// <summary>
/// The rules of one connection, without I/O: bytes in, calls on the broker and bytes out. Parts: login, producers,
/// consumers, transactions, and the second half of a pass. Used by one loop.
/// </summary>
internal sealed partial class OpenWireSession
{
    private readonly OpenWireEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly ISessionOwner _owner;
    private readonly WireReader _reader = new();
    private readonly OpenWireMessageMap _map = new();
    private readonly TransactionCommands _transactions;
    private readonly HashSet<long> _sessions = [NodeSession];
    private WireFormat _format = WireFormat.Initial;
    private BrokerClient? _client;
    private Action? _afterGate;

    // Every connection has a session -1 for its own consumers.
    private const long NodeSession = -1;

    public OpenWireSession(
        OpenWireEnvironment environment, PeerInfo peer, IBufferWriter<byte> output, ISessionOwner owner)
    {
        _environment = environment;
        _peer = peer;
        _owner = owner;
        Output = new CommandOutput(output);
        _transactions = new TransactionCommands(Output, Options);
    }

    public ConnectionState State { get; private set; }

    public CommandOutput Output { get; }

    /// <summary>Milliseconds since the Unix epoch; the loop sets it before each pass.</summary>
    public long NowMs { get; set; }

    /// <summary>The steady clock; the loop sets it before each pass.</summary>
    public long SteadyMs { get; set; }

    /// <summary>What was agreed on silence, in milliseconds; 0: nothing, or for ever.</summary>
    public long InactivityMs { get; private set; }

    public OpenWireOptions Options => _environment.Options;

    /// <summary>What further input waits for: the disk, a password check, another connection. Null: nothing.</summary>
    public Task? InputGate { get; private set; }

    /// <summary>Whether input waits.</summary>
    public bool IsInputPaused =>
        InputGate is not null || SaslToVerify is not null || IsHeldBack || _client is { IsBehind: true };

    public bool HasClient => _client is not null;

    public BrokerClient Client => _client ?? throw new InvalidOperationException("not connected");

    /// <summary>Takes all whole commands off the input. Throws <see cref="OpenWireException"/> when it cannot be read;
    /// what stands behind is lost then.</summary>
    public void Receive(ref ReadOnlySequence<byte> input)
    {
        while (State != ConnectionState.Ended && !IsInputPaused
            && TryTake(ref input, out IDataStructure? structure))
        {
            if (structure is not null)
            {
                OnStructure(structure);
            }
        }
    }

    /// <summary>What input waited for has come.</summary>
    public void ResumeInput()
    {
        InputGate = null;
        Action? after = _afterGate;
        _afterGate = null;
        after?.Invoke();
    }

    /// <summary>The peer did what the protocol forbids: it is told, and the connection is over.</summary>
    public void OnPeerFault(OpenWireException fault)
    {
        if (State != ConnectionState.Ended)
        {
            TellError(BrokerErrors.ToThrowable(fault));
            State = ConnectionState.Ended;
        }
    }

    /// <summary>Ends it with a last word.</summary>
    public void End(string reason)
    {
        if (State != ConnectionState.Ended)
        {
            TellError(new WireThrowable(ThrowableNames.Io, reason));
            State = ConnectionState.Ended;
        }
    }

    /// <summary>Gives everything back: consumers, transactions, the client id. Once, at the end.</summary>
    public void Leave()
    {
        State = ConnectionState.Ended;
        _sasl?.Dispose();
        ForgetFacts();
        if (_client is { } client)
        {
            CloseConsumers();
            client.Dispose();
        }

        LeaveClientId();
    }

    private bool TryTake(ref ReadOnlySequence<byte> input, out IDataStructure? structure)
    {
        int bytesMax = State >= ConnectionState.Connected ? Options.FrameBytesMax : Options.PreAuthFrameBytesMax;
        if (!_format.HasSizePrefix)
        {
            return TryTakeUnsized(ref input, bytesMax, out structure);
        }

        structure = null;
        if (!WireFrames.TryTake(input, bytesMax, out ReadOnlySequence<byte> frame))
        {
            return false;
        }

        input = input.Slice(frame.End);
        structure = _reader.Read(frame.IsSingleSegment ? frame.First : frame.ToArray());
        return true;
    }

    // Without sizes only reading shows where a command ends; a command that is not whole is read anew.
    private bool TryTakeUnsized(
        ref ReadOnlySequence<byte> input, int bytesMax, out IDataStructure? structure)
    {
        structure = null;
        if (input.IsEmpty)
        {
            return false;
        }

        try
        {
            structure = _reader.Read(input.IsSingleSegment ? input.First : input.ToArray());
        }
        catch (OpenWireException e) when (e.IsShort && input.Length < bytesMax)
        {
            return false;
        }

        input = input.Slice(_reader.Position);
        return true;
    }

    private void OnStructure(IDataStructure structure)
    {
        switch (State)
        {
            case ConnectionState.Start when structure is WireFormatInfo info:
                OnWireFormat(info);
                break;
            case ConnectionState.Negotiated or ConnectionState.Connected when structure is Command command:
                OnCommand(command);
                break;
            default:
                throw new OpenWireException($"a {structure.Type} has no place here");
        }
    }

    private void OnCommand(Command command)
    {
        try
        {
            bool isAnswered = State == ConnectionState.Connected ? Perform(command) : Introduce(command);
            if (isAnswered && command.ResponseRequired)
            {
                Output.Respond(command.CommandId);
            }
        }
        catch (OpenWireException fault) when (fault.IsCommandOnly)
        {
            FailTransaction(command, fault.Message);
            Refuse(command, BrokerErrors.ToThrowable(fault));
        }
        catch (BrokerException refusal)
        {
            Refuse(command, BrokerErrors.ToThrowable(refusal));
        }
        catch (XaException refusal)
        {
            Refuse(command, TransactionCommands.ToThrowable(refusal));
        }
    }

    // Before the login: who is there, and little else. True: it is done.
    private bool Introduce(Command command)
    {
        switch (command)
        {
            case ConnectionInfo info:
                OnConnectionInfo(info);
                return false;
            case PlainCommand { Type: DataType.KeepAliveInfo }:
            case ConnectionControl:
                // The failover transport says so that it has come back, before it logs in again.
                return true;
            case PlainCommand { Type: DataType.ShutdownInfo }:
                State = ConnectionState.Ended;
                return true;
            case BrokerInfo:
                throw new OpenWireException("networks of ActiveMQ brokers are not joined");
            default:
                throw new OpenWireException($"a {command.Type} before the login");
        }
    }

    // True: it is done and may be answered; false: it will be.
    private bool Perform(Command command)
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
            case PlainCommand { Type: DataType.ShutdownInfo }:
                State = ConnectionState.Ended;
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
        if (connection is null || connection != _connectionId?.Value)
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

    private void WaitFor(Task gate, Action after)
    {
        InputGate = gate;
        _afterGate = after;
    }

    // A client that does not wait for the answer of a send must not commit without it.
    private void FailTransaction(Command command, string reason)
    {
        if (command is Message { ResponseRequired: false, TransactionId: { } id })
        {
            _transactions.Fail(id, reason);
        }
    }

    private void Refuse(Command command, WireThrowable exception)
    {
        if (command.ResponseRequired)
        {
            Output.Respond(command.CommandId, exception);
        }
        else
        {
            TellError(exception);
        }
    }

    private void TellError(WireThrowable exception)
    {
        if (State != ConnectionState.Start)
        {
            Output.Write(new ConnectionError { Exception = exception, ConnectionId = _connectionId });
        }
    }
}

/// <summary>The loop of a session, as the session sees it.</summary>
internal interface ISessionOwner : IWakeable, IClientHolder
{
    /// <summary>Takes note of an advisory for the session; any thread.</summary>
    Advisories.IAdvisorySink Advisories { get; }
}
