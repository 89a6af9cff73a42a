using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// The two loops of one Kafka connection: one reads requests and begins them in order, the other waits for each answer
/// in turn and sends it. The one place that catches what the peer did wrong; anything else that goes wrong ends this
/// connection only.
/// </summary>
internal sealed class KafkaConnection : IDisposable
{
    private readonly KafkaEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly IDuplexPipe _transport;
    private readonly Action _abort;
    private readonly CancellationToken _gone;
    private readonly CancellationTokenSource _closed = new();
    private readonly Channel<ApiCall> _pending;
    private readonly SemaphoreSlim _left = new(0);
    private readonly PipelineBudget _budget;
    private readonly KafkaSession _session;
    private readonly Func<ApiKey, int> _limitOf;
    private readonly long _startedMs;
    private long _activeMs;
    private bool _isAborted;
    private int _unanswered;

    /// <param name="environment">What all connections share.</param>
    /// <param name="peer">What the transport knows of the peer.</param>
    /// <param name="transport">Its bytes.</param>
    /// <param name="abort">Cuts the connection.</param>
    /// <param name="gone">The peer sends no more: nobody waits for it, also while it is not read.</param>
    public KafkaConnection(
        KafkaEnvironment environment, PeerInfo peer, IDuplexPipe transport, Action abort, CancellationToken gone)
    {
        _environment = environment;
        _peer = peer;
        _transport = transport;
        _abort = abort;
        _gone = gone;
        _session = new KafkaSession(environment, peer, _closed.Token);
        _limitOf = LimitOf;
        _startedMs = _activeMs = environment.SteadyMs;
        _budget = new PipelineBudget(environment.Options.PipelineBytesMax);
        _pending = Channel.CreateBounded<ApiCall>(new BoundedChannelOptions(environment.Options.PipelineMax)
        {
            SingleReader = true,
            SingleWriter = true,
        });
    }

    /// <summary>The shared clock ticked. Any thread.</summary>
    public void Tick(long steadyMs)
    {
        KafkaOptions options = _environment.Options;
        bool idle = options.IdleTimeoutMs > 0 && Volatile.Read(ref _unanswered) == 0
            && steadyMs - Volatile.Read(ref _activeMs) > options.IdleTimeoutMs;
        bool late = _session.Identity is null && steadyMs - _startedMs > options.HandshakeTimeoutMs;
        if ((idle || late) && !_isAborted)
        {
            _isAborted = true;
            Log.TimedOut(_environment.Logger, _peer.RemoteEndPoint, idle ? "idle" : "no login in time");
            _abort();
        }
    }

    /// <summary>Runs until the connection is over. Never throws.</summary>
    public async Task RunAsync()
    {
        Task writing = WriteLoopAsync();
        await ReadLoopAsync();
        await _closed.CancelAsync();
        _pending.Writer.TryComplete();
        await writing;
        _session.Share?.Abandon(_session);
        await _transport.Input.CompleteAsync();
        await _transport.Output.CompleteAsync();
    }

    public void Dispose()
    {
        _closed.Dispose();
        _left.Dispose();
    }

    private async Task ReadLoopAsync()
    {
        using var frames = new FrameReader();
        try
        {
            while (!_closed.IsCancellationRequested)
            {
                ReadResult result = await _transport.Input.ReadAsync(_closed.Token);
                Volatile.Write(ref _activeMs, _environment.SteadyMs);
                ReadOnlySequence<byte> input = result.Buffer;
                await MuteAsync();
                while (frames.TryRead(ref input, _limitOf, out ReadOnlyMemory<byte> frame))
                {
                    await BeginAsync(frame);
                }

                frames.Release();
                _transport.Input.AdvanceTo(input.Start, input.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (KafkaException fault)
        {
            Log.PeerFault(_environment.Logger, _peer.RemoteEndPoint, fault.Message);
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The peer, or the listener, cut the connection.
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }
    }

    private async ValueTask BeginAsync(ReadOnlyMemory<byte> frame)
    {
        while (_session.HeldBytes > _environment.Options.AnswerBytesMax)
        {
            // Its client does not read: what it asks for is not fetched either.
            await _left.WaitAsync(_closed.Token);
        }

        long since = _session.Throttle.Begin();
        ApiCall call = _session.Sasl.TakesRawTokens
            ? new RawSaslCall(_session, frame.Span)
            : Begin(frame);
        _session.Throttle.OnBegun(call, frame.Length, since);
        if (call.FrameHold is { } hold)
        {
            await hold;
        }

        Interlocked.Increment(ref _unanswered);
        call.FrameBytes = frame.Length;
        Task room = _budget.TakeAsync(frame.Length);
        await _pending.Writer.WriteAsync(call, _closed.Token);
        if (!room.IsCompleted)
        {
            await room.WaitAsync(_closed.Token);
        }

        await MuteAsync();
    }

    // Answers go at once; what the client sends next waits (KIP-219).
    private async ValueTask MuteAsync()
    {
        while (_session.Throttle.MutedForMs is var mutedMs and > 0)
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token, _gone);
            await _environment.DelayAsync(mutedMs, ended.Token);
        }
    }

    private ApiCall Begin(ReadOnlyMemory<byte> frame)
    {
        var reader = new KafkaReader(frame);
        RequestHeader header = RequestHeader.ReadFixed(ref reader);
        ApiEntry? entry = ApiTable.Find(header.Key);
        if (entry is null)
        {
            KafkaException.Throw($"API key {(short)header.Key} is not known");
        }

        if (_session.Identity is null && !entry.BeforeLogin)
        {
            KafkaException.Throw($"{header.Key} before login");
        }

        if (!entry.BeforeLogin && _environment.SteadyMs > _session.ExpiresAtMs)
        {
            KafkaException.Throw($"{header.Key} after the login has expired");
        }

        if (header.Version < entry.VersionMin || header.Version > entry.VersionMax)
        {
            return header.Key == ApiKey.ApiVersions
                ? Apis.ApiVersionsApi.Fallback(_session, header)
                : throw new KafkaException($"{header.Key} has no version {header.Version}");
        }

        return entry.Begin(_session, header, ref reader);
    }

    private async Task WriteLoopAsync()
    {
        using var writer = new AnswerWriter(_transport.Output, _environment.Options.OutputBytesPerFlush);
        try
        {
            while (await _pending.Reader.WaitToReadAsync())
            {
                while (_pending.Reader.TryRead(out ApiCall? call))
                {
                    await AnswerAsync(call, writer);
                }

                await writer.FlushAsync();
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The peer is gone.
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }
        finally
        {
            await _closed.CancelAsync();
            await DropAsync();
        }
    }

    private async ValueTask AnswerAsync(ApiCall call, AnswerWriter writer)
    {
        try
        {
            if (!call.IsFinished)
            {
                await writer.FlushAsync();
            }

            if (await call.FinishAsync())
            {
                await writer.WriteAsync(call);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _unanswered);
            call.Release();
            if (_left.CurrentCount == 0)
            {
                _left.Release();
            }

            _budget.Return(call.FrameBytes);
        }

        if (call.EndsConnection)
        {
            await writer.FlushAsync();
            throw new OperationCanceledException();
        }
    }

    // What was begun ends, but nobody hears of it.
    private async Task DropAsync()
    {
        _pending.Writer.TryComplete();
        while (_pending.Reader.TryRead(out ApiCall? call))
        {
            try
            {
                await call.FinishAsync();
            }
            catch (Exception e)
            {
                if (!IsEnd(e))
                {
                    Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
                }
            }

            call.Release();
        }
    }

    private int LimitOf(ApiKey key)
    {
        KafkaOptions options = _environment.Options;
        return _session.Identity is null ? options.PreAuthBytesMax
            : key == ApiKey.Produce ? options.ProduceBytesMax
            : options.RequestBytesMax;
    }

    private static bool IsEnd(Exception e) => e is IOException or OperationCanceledException or ChannelClosedException
        or Microsoft.AspNetCore.Connections.ConnectionAbortedException;
}
