using System.Buffers;
using System.IO.Pipelines;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>
/// The loop of one MQTT connection: waits for input or a wake, lets <see cref="MqttEndpoint"/> work, flushes. All
/// waiting is here. The one place that catches what the peer did wrong; anything else that goes wrong ends this
/// connection only.
/// </summary>
internal sealed partial class MqttConnection : IMqttConnection, IRestingLoop
{
    // Turns without a look at the input, while there are messages to write.
    private const int TurnsPerPass = 4;

    private readonly MqttEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private readonly MqttEndpoint _endpoint;
    private readonly ConnectionTimers _timers;
    private readonly LoopRest _rest;
    private byte[] _setAside = [];
    private long _inputLength;
    private long _nextDeadlineMs;
    private bool _tickDue;
    private bool _hasMore;
    private bool _peerGone;
    private bool _isAdmitted;

    public MqttConnection(MqttEnvironment environment, PeerInfo peer, IDuplexPipe transport)
    {
        _environment = environment;
        _peer = peer;
        _input = transport.Input;
        _output = transport.Output;
        _rest = new LoopRest(this, _input, environment.OwnThreads);
        _endpoint = new MqttEndpoint(environment, peer, _output, this);
        _timers = new ConnectionTimers(environment.Options.HandshakeTimeoutMs, SteadyMs);
        _nextDeadlineMs = _timers.NextDeadlineMs;
        _wake = _rest.Wake;
    }

    /// <inheritdoc/>
    public string User => _endpoint.User;

    private long SteadyMs => _environment.SteadyMs;

    private bool IsOver => _endpoint.State == EndpointState.Ended || _peerGone;

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
        (_hasMore && !_isFlushing) || _endpoint.HasEvents || Volatile.Read(ref _tickDue) || HasCompleted();

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
        bool isStopped = _endpoint.IsInputPaused || IsOutputFull;
        if (isStopped && _setAside.Length > 0)
        {
            // Nothing is added to it now: the pipe has the bounds.
            Advance(result.Buffer, result.Buffer.Length);
            return;
        }

        ReadOnlySequence<byte> input = _setAside.Length == 0
            ? result.Buffer
            : new ReadOnlySequence<byte>([.. _setAside, .. result.Buffer.ToArray()]);
        Receive(ref input);
        isStopped = _endpoint.IsInputPaused || IsOutputFull;
        _peerGone = result.IsCompleted && (!isStopped || input.IsEmpty);
        LeaveInput(result.Buffer, input, isStopped);
    }

    // What is left stays in the pipe; but a peer that has not logged in, and stops in the middle of a packet, shall not
    // hold one of the pipe's large blocks.
    private void LeaveInput(in ReadOnlySequence<byte> read, in ReadOnlySequence<byte> rest, bool isStopped)
    {
        bool isEarly = _endpoint.State < EndpointState.Connected && !isStopped;
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
        if (IsOutputFull)
        {
            return;
        }

        Guard(ref input, static (MqttEndpoint endpoint, ref ReadOnlySequence<byte> input) =>
            endpoint.Receive(ref input));
        if (_endpoint.State == EndpointState.Ended)
        {
            input = input.Slice(input.End);
        }
    }

    private delegate void Step(MqttEndpoint endpoint, ref ReadOnlySequence<byte> input);

    private void Guard(ref ReadOnlySequence<byte> input, Step step)
    {
        try
        {
            step(_endpoint, ref input);
        }
        catch (MqttException fault)
        {
            _endpoint.OnPeerFault(fault);
        }
    }

    private void Write()
    {
        _hasMore = false;
        bool wasPaused = _endpoint.IsInputPaused;
        for (int turn = 0; turn < TurnsPerPass; turn++)
        {
            long limit = _isFlushing ? 0 : _endpoint.Output.BytesWritten + _environment.Options.OutputBytesPerPass;
            _hasMore = _endpoint.Turn(limit);
            Flush();
            if (!_hasMore || _isFlushing)
            {
                break;
            }
        }

        // Packets that had to wait lie in the pipe, or aside: nobody else would wake the loop for them.
        _hasMore |= wasPaused && !_endpoint.IsInputPaused && (_inputLength > 0 || _setAside.Length > 0);
        if (!_isAdmitted && _endpoint.State == EndpointState.Connected)
        {
            _isAdmitted = true;
            _timers.OnConnected(_endpoint.KeepAliveSeconds, SteadyMs);
            Volatile.Write(ref _nextDeadlineMs, _timers.NextDeadlineMs);
        }
    }

    private void CheckTimers()
    {
        if (Volatile.Read(ref _tickDue))
        {
            Volatile.Write(ref _tickDue, false);
            switch (_timers.Check(SteadyMs))
            {
                case TimerVerdict.HandshakeOver:
                    _peerGone = true;
                    break;
                case TimerVerdict.KeepAliveOver:
                    _endpoint.Close(ReasonCode.KeepAliveTimeout, "");
                    break;
            }
        }

        Volatile.Write(ref _nextDeadlineMs, _timers.NextDeadlineMs);
    }
}
