using System.Buffers;
using System.IO.Pipelines;
using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// The loop of one OpenWire connection: waits for input or a wake, lets <see cref="OpenWireSession"/> work, flushes.
/// All waiting is here. The one place that catches what the peer did wrong; anything else that goes wrong ends this
/// connection only.
/// </summary>
internal sealed partial class OpenWireConnection : ISessionOwner, IRestingLoop
{
    // Turns without a look at the input, while there are deliveries to write.
    private const int TurnsPerPass = 4;

    private readonly OpenWireEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly OpenWireSession _session;
    private readonly ConnectionTimers _timers;
    private readonly LoopRest _rest;
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConnectionState _knownState;
    private long _inputLength;
    private long _nextDeadlineMs;
    private bool _tickDue;
    private bool _isGivenUp;
    private bool _hasMore;
    private bool _peerGone;

    public OpenWireConnection(OpenWireEnvironment environment, PeerInfo peer, IDuplexPipe transport)
    {
        _environment = environment;
        _peer = peer;
        _input = transport.Input;
        _output = transport.Output;
        _rest = new LoopRest(this, _input, environment.OwnThreads);
        _session = new OpenWireSession(environment, peer, _output, this);
        _timers = new ConnectionTimers(environment.Options, SteadyMs);
        _nextDeadlineMs = _timers.NextDeadlineMs;
        _wake = _rest.Wake;
    }

    /// <inheritdoc/>
    public string User => _session.User;

    /// <inheritdoc/>
    public string ConnectionId => _session.PeerConnectionId;

    private bool IsOver => _session.State == ConnectionState.Ended || _peerGone;

    private long SteadyMs => _environment.SteadyMs;

    /// <inheritdoc/>
    public Task GiveUpAsync()
    {
        Volatile.Write(ref _isGivenUp, true);
        Wake();
        return _over.Task;
    }

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
        || Volatile.Read(ref _isGivenUp)
        || HasCompleted();

    private void Pass(in ReadResult result)
    {
        _rest.BeginPass();
        _session.Clock.Set(_environment.UnixMs, SteadyMs);
        if (Volatile.Read(ref _isGivenUp))
        {
            _session.End("the client has connected anew");
        }

        // While the node does not listen, that the peer says nothing means nothing.
        bool wasPaused = _session.IsInputPaused;
        FinishWaits();
        if (wasPaused || result.Buffer.Length != _inputLength)
        {
            _timers.OnReceived(_session.Clock.SteadyMs);
        }

        ReceiveFrom(result);
        CheckTimers();
        Write();
        StartWaits();
    }

    private void ReceiveFrom(in ReadResult result)
    {
        ReadOnlySequence<byte> input = result.Buffer;
        if (!IsOutputFull)
        {
            Receive(ref input);
        }

        // What a peer that has gone left behind a gate is still done; but nobody waits for its credit, or its reading.
        bool isGated = _session.InputGate is not null && !IsOutputFull;
        _peerGone = result.IsCompleted && (!isGated || input.IsEmpty);
        _inputLength = input.Length;
        // What a stopped input holds counts as looked at: the pipe has the bounds, and a wake goes on with it.
        _input.AdvanceTo(input.Start, result.Buffer.End);
    }

    private void Receive(ref ReadOnlySequence<byte> input)
    {
        try
        {
            _session.Receive(ref input);
        }
        catch (OpenWireException fault)
        {
            Log.PeerFault(_environment.Logger, _peer.RemoteEndPoint, fault.Message);
            _session.OnPeerFault(fault);
            // Where the next command begins does not matter any more.
            input = input.Slice(input.End);
        }
    }

    private void Write()
    {
        _hasMore = false;
        for (int turn = 0; turn < TurnsPerPass; turn++)
        {
            long limit = _isFlushing ? 0 : _session.Output.BytesWritten + _environment.Options.OutputBytesPerPass;
            _hasMore = _session.Turn(limit);
            Flush();
            if (!_hasMore || _isFlushing)
            {
                break;
            }
        }

        // Input that was held back may be in the pipe whole: nobody else would wake the loop for it.
        _hasMore |= _inputLength > 0 && _wasPaused && !_session.IsInputPaused;
        _wasPaused = _session.IsInputPaused;
    }

    private bool _wasPaused;

    private void CheckTimers()
    {
        if (_session.State != _knownState)
        {
            _knownState = _session.State;
            _timers.OnNegotiated(_session.InactivityMs);
            if (_knownState == ConnectionState.Connected)
            {
                _timers.OnConnected();
            }
        }

        Volatile.Write(ref _tickDue, false);
        _timers.PullDeadlineMs = _session.PullDeadlineMs;
        Act(_timers.Check(_session.Clock.SteadyMs));
        _timers.PullDeadlineMs = _session.PullDeadlineMs;
        Volatile.Write(ref _nextDeadlineMs, _timers.NextDeadlineMs);
    }

    private void Act(TimerVerdict verdict)
    {
        switch (verdict)
        {
            case TimerVerdict.SendKeepAlive when !_isFlushing:
                _session.Output.Write(new PlainCommand(DataType.KeepAliveInfo));
                break;
            case TimerVerdict.PullOver:
                _session.EndPulls();
                break;
            case TimerVerdict.PeerSilent:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "nothing was heard for the agreed time");
                _session.End("nothing was heard for the agreed time");
                break;
            case TimerVerdict.HandshakeOver:
                Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, "no login within the handshake timeout");
                _peerGone = true;
                break;
        }
    }
}
