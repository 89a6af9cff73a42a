using System.Buffers;
using System.IO.Pipelines;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// The loop of one AMQP connection: waits for input or a wake, lets <see cref="ConnectionEndpoint"/> work, flushes. All
/// waiting is here.
/// The one place that catches what the peer did wrong; anything else that goes wrong ends this connection only.
/// </summary>
internal sealed partial class AmqpConnection : IWakeable, ILinkOwner, IRestingLoop
{
    // Turns without a look at the input, while there are deliveries to write.
    private const int TurnsPerPass = 4;

    private readonly AmqpEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly ConnectionEndpoint _endpoint;
    private readonly ConnectionTimers _timers;
    private readonly LoopRest _rest;
    private ConnectionState _knownState;
    private byte[] _setAside = [];
    private long _inputLength;
    private long _nextDeadlineMs;
    private int _closeAsked;
    private bool _tickDue;
    private bool _hasMore;
    private bool _peerGone;
    private bool _isStopped;

    /// <param name="environment">What the node's connections share.</param>
    /// <param name="peer">What the transport knows of the peer.</param>
    /// <param name="transport">The bytes.</param>
    /// <param name="plan">What the node takes the connection for.</param>
    /// <param name="login">How the node logged in, when it made the connection.</param>
    public AmqpConnection(
        AmqpEnvironment environment, PeerInfo peer, IDuplexPipe transport, ConnectionPlan plan, InitiatedLogin? login)
    {
        _environment = environment;
        _peer = peer;
        _input = transport.Input;
        _output = transport.Output;
        _rest = new LoopRest(this, _input, environment.OwnThreads);
        _endpoint = new ConnectionEndpoint(environment, peer, _output, this, plan) { SinceUnixMs = environment.UnixMs };
        AmqpOptions options = _endpoint.Options;
        _timers = new ConnectionTimers(options, SteadyMs, options.IdleTimeoutMsOf(plan.Role));
        _nextDeadlineMs = _timers.NextDeadlineMs;
        _wake = _rest.Wake;
        if (plan.IsInitiator)
        {
            _endpoint.Initiate(login ?? InitiatedLogin.None);
        }
    }

    /// <summary>Whether both opens were exchanged.</summary>
    public bool WasOpened => _endpoint.PeerOpen is not null;

    /// <summary>Where else the peer is to be reached, as it has said; null: it said nothing.</summary>
    public IReadOnlyList<FailoverServer>? Failover => FailoverList.Read(_endpoint.PeerOpen);

    /// <summary>Why the node, or the peer, closed it; null: it was not closed with an error.</summary>
    public AmqpError? EndError => _endpoint.EndError;

    /// <summary>Counts the connections of the node; said before the loop runs.</summary>
    public long Number
    {
        get => _endpoint.Number;
        init => _endpoint.Number = value;
    }

    private bool IsOver => _endpoint.State == ConnectionState.Ended || _peerGone;

    private long SteadyMs => _environment.SteadyMs;

    /// <summary>An operator wants the connection closed: the loop says goodbye. Any thread.</summary>
    public void AskToClose()
    {
        Volatile.Write(ref _closeAsked, 1);
        Wake();
    }

    /// <summary>The connection at this moment. Any thread.</summary>
    public ConnectionFacts Describe() => _endpoint.Describe();

    /// <summary>Makes the loop run a pass, on a thread of the pool: the caller has its own work. Any thread.</summary>
    public void Wake() => _rest.Wake();

    /// <summary>The shared clock ticked. Any thread.</summary>
    public void Tick(long steadyMs)
    {
        if (steadyMs >= Volatile.Read(ref _nextDeadlineMs))
        {
            Volatile.Write(ref _tickDue, true);
            Wake();
        }
    }

    /// <summary>Runs until the connection is over. Never throws.</summary>
    public async Task RunAsync()
    {
        try
        {
            Flush();
            while (!IsOver)
            {
                ReadResult result = await _rest.ReadAsync();
                Pass(result);
                if (result.IsCompleted && !IsOver)
                {
                    await _rest.WakeAsync();
                }
            }

            await FlushLastAsync();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The peer, or the listener, cut the connection.
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
            await SayInternalErrorAsync();
        }
        finally
        {
            await EndAsync();
        }
    }

    // Looked at after the loop has said that it waits: who makes one of these true afterwards wakes it.
    bool IRestingLoop.HasWork =>
        (_hasMore && !_isFlushing)
        || (_endpoint.HasClient && _endpoint.Client.HasEvents)
        || _endpoint.HasRoutedEvents
        || Volatile.Read(ref _tickDue)
        || Volatile.Read(ref _closeAsked) != 0
        || HasCompleted();

    private void Pass(in ReadResult result)
    {
        _rest.BeginPass();
        _endpoint.NowMs = _environment.UnixMs;
        // While the node does not listen, that the peer says nothing means nothing.
        bool wasPaused = _endpoint.IsInputPaused;
        FinishWaits();
        if (wasPaused || result.Buffer.Length != _inputLength)
        {
            _timers.OnReceived(SteadyMs);
        }

        ReceiveFrom(result);
        CheckTimers();
        Write();
        StartWaits();
    }

    private void ReceiveFrom(in ReadResult result)
    {
        bool isStopped = _isStopped = _endpoint.IsInputPaused || IsOutputFull;
        if (isStopped && _setAside.Length > 0)
        {
            // Nothing is added to it now: the pipe has the bounds.
            Advance(result.Buffer, result.Buffer.Length);
            return;
        }

        ReadOnlySequence<byte> input = TakeInput(result.Buffer);
        Receive(ref input);
        isStopped = _isStopped = _endpoint.IsInputPaused || IsOutputFull;
        _peerGone = result.IsCompleted && (!isStopped || input.IsEmpty);
        LeaveInput(result.Buffer, input, isStopped);
    }

    // What was set aside comes first.
    private ReadOnlySequence<byte> TakeInput(in ReadOnlySequence<byte> read) =>
        _setAside.Length == 0 ? read : new ReadOnlySequence<byte>([.. _setAside, .. read.ToArray()]);

    // What is left stays in the pipe; but a peer that has not logged in, and stops in the middle of a frame, shall not
    // hold one of the pipe's large blocks.
    private void LeaveInput(in ReadOnlySequence<byte> read, in ReadOnlySequence<byte> rest, bool isStopped)
    {
        bool isEarly = _endpoint.State < ConnectionState.Opened && !isStopped;
        if (rest.Length > read.Length || (isEarly && !rest.IsEmpty))
        {
            _setAside = rest.ToArray();
            Advance(read, 0);
        }
        else
        {
            _setAside = [];
            Advance(read, rest.Length);
        }
    }

    private void Advance(in ReadOnlySequence<byte> read, long left)
    {
        _inputLength = left;
        _input.AdvanceTo(read.GetPosition(read.Length - left), read.End);
    }

    private void Receive(ref ReadOnlySequence<byte> input)
    {
        while (!IsOutputFull)
        {
            try
            {
                _endpoint.Receive(ref input);
                return;
            }
            catch (AmqpException fault)
            {
                OnPeerFault(fault);
                if (_endpoint.State is ConnectionState.CloseSent or ConnectionState.Ended
                    && fault.Condition == AmqpErrorCondition.ConnectionFramingError)
                {
                    // Where the next frame begins is unknown: nothing more can be read.
                    input = input.Slice(input.End);
                }
            }
        }
    }

    private void Guard(Action<ConnectionEndpoint> action)
    {
        try
        {
            action(_endpoint);
        }
        catch (AmqpException fault)
        {
            OnPeerFault(fault);
        }
    }

    private void OnPeerFault(AmqpException fault)
    {
        Log.PeerFault(_environment.Logger, _peer.RemoteEndPoint, fault.Condition, fault.Message);
        _endpoint.OnPeerFault(fault);
    }

    private void Write()
    {
        _hasMore = false;
        for (int turn = 0; turn < TurnsPerPass; turn++)
        {
            long limit = _isFlushing ? 0 : _endpoint.Frames.BytesWritten + _environment.Options.OutputBytesPerPass;
            _hasMore = _endpoint.Turn(limit);
            Flush();
            if (!_hasMore || _isFlushing)
            {
                break;
            }
        }

        // What is left of the input is looked at again when nothing stops it any more.
        _hasMore |= _isStopped && !_endpoint.IsInputPaused && !IsOutputFull;
    }

    private void CheckTimers()
    {
        long now = SteadyMs;
        if (Interlocked.Exchange(ref _closeAsked, 0) != 0)
        {
            _endpoint.Close(new AmqpError
            {
                Condition = AmqpErrorCondition.ConnectionForced,
                Description = "Connection forced closed by management request",
            });
        }

        if (_endpoint.State != _knownState)
        {
            _knownState = _endpoint.State;
            if (_knownState == ConnectionState.Opened)
            {
                _timers.OnOpened(_endpoint.PeerIdleTimeoutMs);
                if (_endpoint.Sasl.EndsAtMs is { } endsAtMs)
                {
                    _timers.OnLoginEnds(now + endsAtMs - _environment.UnixMs);
                }
            }
            else if (_knownState == ConnectionState.CloseSent)
            {
                _timers.OnCloseSent(now);
            }
        }

        Volatile.Write(ref _tickDue, false);
        Act(_timers.Check(now));
        Volatile.Write(ref _nextDeadlineMs, _timers.NextDeadlineMs);
    }

    private void Act(TimerVerdict verdict)
    {
        switch (verdict)
        {
            case TimerVerdict.SendHeartbeat when !_isFlushing:
                _endpoint.Frames.WriteHeartbeat();
                break;
            case TimerVerdict.PeerSilent:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "nothing was heard for the idle timeout");
                _endpoint.Close(new AmqpError
                {
                    Condition = AmqpErrorCondition.ResourceLimitExceeded,
                    Description = "local-idle-timeout expired",
                });
                _peerGone = true;
                break;
            case TimerVerdict.LoginOver:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "its login has expired");
                _endpoint.Close(new AmqpError
                {
                    Condition = AmqpErrorCondition.UnauthorizedAccess,
                    Description = "what you logged in with has expired: log in again",
                });
                break;
            case TimerVerdict.HandshakeOver:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "no open within the handshake timeout");
                _peerGone = true;
                break;
            case TimerVerdict.CloseOver:
                _peerGone = true;
                break;
        }
    }
}
