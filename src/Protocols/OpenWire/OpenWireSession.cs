using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Protocols.OpenWire.Logins;
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
/// The rules of one connection, without I/O: bytes in, calls on the broker and bytes out. It has the states, and says
/// what is refused; how a client comes in is <see cref="OpenWireLogin"/>, what it does then <see
/// cref="ConnectedClient"/>. Used by one loop.
/// </summary>
internal sealed class OpenWireSession
{
    private readonly OpenWireEnvironment _environment;
    private readonly Negotiation _negotiation;
    private readonly OpenWireLogin _login;
    private readonly CommandInput _input = new();
    private readonly InputHold _hold = new();
    private readonly AdvisoryInbox _inbox;
    private ConnectionInfo? _introduction;
    private ConnectedClient? _connected;

    public OpenWireSession(
        OpenWireEnvironment environment, PeerInfo peer, IBufferWriter<byte> output, ISessionOwner owner)
    {
        _environment = environment;
        _negotiation = new Negotiation(environment.Options);
        _login = new OpenWireLogin(environment, peer, owner);
        _inbox = new AdvisoryInbox(owner);
        Output = new CommandOutput(output);
    }

    public ConnectionState State { get; private set; }

    public CommandOutput Output { get; }

    /// <summary>The time of the pass; the loop sets it.</summary>
    public PassClock Clock { get; } = new();

    /// <summary>What was agreed on silence, in milliseconds; 0: nothing, or for ever.</summary>
    public long InactivityMs => _negotiation.InactivityMs;

    /// <summary>Who logged in, for the registry of client ids. Any thread.</summary>
    public string User => _login.User;

    /// <summary>The connection's id as its client gave it. Any thread.</summary>
    public string PeerConnectionId => _login.Connection?.Value ?? "";

    /// <summary>A password check that the loop shall run; its end is told to <see cref="OnVerified"/>.</summary>
    public ISaslServer? SaslToVerify => _login.ToVerify;

    /// <summary>What further input waits for: the disk, another connection. Null: nothing.</summary>
    public Task? InputGate => _hold.Gate;

    /// <summary>Whether input waits.</summary>
    public bool IsInputPaused =>
        InputGate is not null || SaslToVerify is not null || _connected is { IsHeldBack: true };

    /// <summary>Whether <see cref="Turn"/> has something to hear.</summary>
    public bool HasEvents => _connected is { HasEvents: true };

    /// <summary>When the next wait of a consumer is over, by the steady clock.</summary>
    public long PullDeadlineMs => _connected?.Pulls.DeadlineMs ?? long.MaxValue;

    /// <summary>What the client does; only of one that has logged in.</summary>
    public ConnectedClient Connected => _connected ?? throw new InvalidOperationException("not connected");

    private OpenWireOptions Options => _environment.Options;

    /// <summary>Takes all whole commands off the input. Throws <see cref="OpenWireException"/> when it cannot be read;
    /// what stands behind is lost then.</summary>
    public void Receive(ref ReadOnlySequence<byte> input)
    {
        while (State != ConnectionState.Ended && !IsInputPaused)
        {
            int bytesMax = State >= ConnectionState.Connected ? Options.FrameBytesMax : Options.PreAuthFrameBytesMax;
            if (!_input.TryTake(ref input, bytesMax, out IDataStructure? structure))
            {
                return;
            }

            if (structure is not null)
            {
                OnStructure(structure);
            }
        }
    }

    /// <summary>What input waited for has come.</summary>
    public void ResumeInput() => _hold.Resume();

    /// <summary>A password check has ended.</summary>
    public void OnVerified(in SaslStep step) => OnLoginStep(_login.OnVerified(step));

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: deliveries are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        if (_connected is null)
        {
            return false;
        }

        bool hasMore = _connected.Turn(State == ConnectionState.Connected ? outputLimit : 0);
        if (_connected.EndReason is { } reason)
        {
            End(reason);
        }

        return hasMore;
    }

    /// <summary>Some waits of consumers may be over.</summary>
    public void EndPulls() => _connected?.Pulls.End(Clock.SteadyMs);

    /// <summary>A consumer that needs bytes from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out ConsumerEndpoint? consumer)
    {
        consumer = null;
        return _connected is not null && _connected.Turns.TryTakeRead(out consumer);
    }

    /// <summary>The peer did what the protocol forbids: it is told, and the connection is over.</summary>
    public void OnPeerFault(OpenWireException fault)
    {
        if (State != ConnectionState.Ended)
        {
            Output.TellError(BrokerErrors.ToThrowable(fault));
            State = ConnectionState.Ended;
        }
    }

    /// <summary>Ends it with a last word.</summary>
    public void End(string reason)
    {
        if (State != ConnectionState.Ended)
        {
            Output.TellError(new WireThrowable(ThrowableNames.Io, reason));
            State = ConnectionState.Ended;
        }
    }

    /// <summary>Gives everything back: consumers, transactions, the client id. Once, at the end.</summary>
    public void Leave()
    {
        State = ConnectionState.Ended;
        _connected?.Leave();
        _login.Leave();
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
            bool isAnswered = _connected is not null ? Perform(command, _connected) : Introduce(command);
            if (isAnswered && command.ResponseRequired)
            {
                Output.Respond(command.CommandId);
            }
        }
        catch (OpenWireException fault) when (fault.IsCommandOnly)
        {
            _connected?.FailTransaction(command, fault.Message);
            Output.Refuse(command, BrokerErrors.ToThrowable(fault));
        }
        catch (BrokerException refusal)
        {
            Output.Refuse(command, BrokerErrors.ToThrowable(refusal));
        }
        catch (XaException refusal)
        {
            Output.Refuse(command, TransactionCommands.ToThrowable(refusal));
        }
    }

    private void OnWireFormat(WireFormatInfo theirs)
    {
        Output.Write(_negotiation.Agree(theirs));
        _input.Use(_negotiation.Format);
        Output.Use(_negotiation.Format);
        State = ConnectionState.Negotiated;
        Output.Write(_negotiation.Introduce());
    }

    // Before the login: who is there, and little else. True: it is done.
    private bool Introduce(Command command)
    {
        switch (command)
        {
            case ConnectionInfo info:
                _introduction = info;
                LoginStep step = _login.Begin(info, _negotiation.Host);
                State = ConnectionState.LoggingIn;
                Output.Connection = info.ConnectionId;
                OnLoginStep(step);
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

    private void OnLoginStep(in LoginStep step)
    {
        if (step.Client is not null)
        {
            Connect(step.Client);
        }
        else if (step.Refusal is not null)
        {
            Output.Refuse(_introduction!, step.Refusal);
            State = ConnectionState.Ended;
        }
        else if (step.Gate is not null)
        {
            _hold.Until(step.Gate, () => OnLoginStep(_login.TakeClientId()));
        }
    }

    private void Connect(BrokerClient client)
    {
        ConnectionInfo login = _introduction!;
        _introduction = null;
        var traits = new ClientTraits
        {
            Space = _login.Space,
            ClientId = _login.ClientId,
            Connection = login.ConnectionId!,
            Inbox = _inbox,
            Version = _negotiation.Format.Version,
            FrameBytesMax = _negotiation.PeerFrameBytesMax,
            IsFaultTolerant = login.FaultTolerant,
            IsReconnect = login.FailoverReconnect,
        };
        _connected = new ConnectedClient(_environment, client, traits, Output, Clock, _hold);
        State = ConnectionState.Connected;
        _connected.Introduce(login);
        if (login.ResponseRequired)
        {
            Output.Respond(login.CommandId);
        }

        if (login.Manageable || login.FaultTolerant)
        {
            Output.Write(_negotiation.TellNodes());
        }
    }

    // True: it is done and may be answered; false: it will be.
    private bool Perform(Command command, ConnectedClient connected)
    {
        if (command is PlainCommand { Type: DataType.ShutdownInfo })
        {
            State = ConnectionState.Ended;
            return true;
        }

        return connected.Perform(command);
    }
}

/// <summary>The loop of a session, as the session sees it.</summary>
internal interface ISessionOwner : IWakeable, IClientHolder;
