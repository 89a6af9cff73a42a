using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Stomp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// The loop of one STOMP connection: waits for input or a wake, lets <see cref="StompSession"/> work, flushes. All
/// waiting is here. The one place that catches what the peer did wrong; anything else that goes wrong ends this
/// connection only.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "the loop disposes the session at its end")]
internal sealed partial class StompConnection : IWakeable, IRestingLoop
{
    // Turns without a look at the input, while there are messages to write.
    private const int TurnsPerPass = 4;

    private readonly StompEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly StompSession _session;
    private readonly StompTimers _timers;
    private readonly LoopRest _rest;
    private byte[] _setAside = [];
    private long _inputLength;
    private long _nextDeadlineMs;
    private bool _tickDue;
    private bool _hasMore;
    private bool _isStopped;
    private bool _peerGone;
    private bool _isConnected;

    public StompConnection(StompEnvironment environment, PeerInfo peer, IDuplexPipe transport)
    {
        _environment = environment;
        _peer = peer;
        _input = transport.Input;
        _output = transport.Output;
        _rest = new LoopRest(this, _input, environment.OwnThreads);
        _timers = new StompTimers(environment.Options, SteadyMs);
        _session = new StompSession(environment, peer, _output, this) { AnswerHeartbeat = _timers.Answer };
        _nextDeadlineMs = _timers.NextDeadlineMs;
        _wake = _rest.Wake;
    }

    private bool IsOver => _session.State == SessionState.Ended || _peerGone;

    private long SteadyMs => _environment.SteadyMs;

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
        || _session.HasEvents
        || Volatile.Read(ref _tickDue)
        || HasCompleted();

    private void Pass(in ReadResult result)
    {
        _rest.BeginPass();
        _session.NowMs = _environment.UnixMs;
        // While the node does not listen, that the peer says nothing means nothing.
        bool wasPaused = _session.IsInputPaused;
        FinishWaits();
        if (wasPaused || result.Buffer.Length != _inputLength)
        {
            _timers.OnReceived(SteadyMs);
        }

        ReceiveFrom(result);
        CheckTimers();
        Write();
        StartWaits();
        // What stopped the input may be over by now: what is left of it has to be looked at.
        _hasMore |= _isStopped && !_session.IsInputPaused && !IsOutputFull;
    }

    private void ReceiveFrom(in ReadResult result)
    {
        bool isStopped = _session.IsInputPaused || IsOutputFull;
        if (isStopped && _setAside.Length > 0)
        {
            // Nothing is added to it now: the pipe has the bounds.
            Advance(result.Buffer, result.Buffer.Length);
            return;
        }

        ReadOnlySequence<byte> input = TakeInput(result.Buffer);
        if (!IsOutputFull)
        {
            Receive(ref input);
        }

        isStopped = _isStopped = _session.IsInputPaused || IsOutputFull;
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
        bool isEarly = _session.State < SessionState.Connected && !isStopped;
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
        try
        {
            _session.Receive(ref input);
        }
        catch (StompException fault)
        {
            Log.PeerFault(_environment.Logger, _peer.RemoteEndPoint, fault.Message);
            _session.OnPeerFault(fault);
            input = input.Slice(input.End);
        }
    }

    private void Write()
    {
        _hasMore = false;
        for (int turn = 0; turn < TurnsPerPass; turn++)
        {
            long limit = _isFlushing ? 0 : _session.Frames.BytesWritten + _environment.Options.OutputBytesPerPass;
            _hasMore = _session.Turn(limit);
            Flush();
            if (!_hasMore || _isFlushing)
            {
                break;
            }
        }
    }

    private void CheckTimers()
    {
        long now = SteadyMs;
        if (!_isConnected && _session.State == SessionState.Connected)
        {
            _isConnected = true;
            _timers.OnConnected(_session.Login.PeerSendsMs, _session.Login.PeerWantsMs, now);
        }

        Volatile.Write(ref _tickDue, false);
        switch (_timers.Check(now))
        {
            case TimerVerdict.SendHeartbeat when !_isFlushing:
                _session.Frames.WriteHeartbeat();
                break;
            case TimerVerdict.PeerSilent:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "nothing was heard for its heart-beat");
                _peerGone = true;
                break;
            case TimerVerdict.HandshakeOver:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "no login within the handshake timeout");
                _peerGone = true;
                break;
        }

        Volatile.Write(ref _nextDeadlineMs, _timers.NextDeadlineMs);
    }
}
