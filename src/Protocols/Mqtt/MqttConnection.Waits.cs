using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Mqtt;

/// <content>
/// What the loop waits for besides input: its flush, one read from disk, a step of the login, the connection that it
/// takes over. Each wakes the loop when it is done, and is finished in the next pass, so that everything happens on the
/// loop.
/// </content>
internal sealed partial class MqttConnection
{
    private const int LastLookMs = 10;

    private readonly Action _wake;
    // Made for the first: an empty one takes a tenth of what an idle connection may.
    private ConcurrentQueue<TaskCompletionSource>? _successors;
    private ValueTask<FlushResult> _flush;
    private bool _isFlushing;
    private long _flushedBytes;
    private Task<LoadedMessage>? _read;
    private Delivery _readOf;
    private bool _isStateRead;
    private bool _lingers;
    private Task? _awaited;
    private volatile bool _isGone;

    // On threads of its own a wake runs wherever the wait ends; a broker on one thread keeps to its caller's context.
    private bool KeepsContext => !_environment.OwnThreads;

    // A peer that does not read its answers is not heard either.
    private bool IsOutputFull =>
        _isFlushing && _endpoint.Output.BytesWritten - _flushedBytes > _environment.Options.OutputBytesMax;

    /// <inheritdoc/>
    public Task GiveWayAsync()
    {
        if (_isGone)
        {
            return Task.CompletedTask;
        }

        // Its continuation is the other loop's wake: short, and fit to run here.
        var done = new TaskCompletionSource();
        LazyInitializer.EnsureInitialized(ref _successors, static () => new()).Enqueue(done);
        Wake();
        if (_isGone)
        {
            // The loop may have looked for the last time before.
            LetSuccessorsIn();
        }

        return done.Task;
    }

    private bool HasCompleted() =>
        (_isFlushing && _flush.IsCompleted)
        || _read is { IsCompleted: true }
        || _awaited is { IsCompleted: true }
        || _successors is { IsEmpty: false };

    private void FinishWaits()
    {
        if (_isFlushing && _flush.IsCompleted)
        {
            EndFlush();
        }

        if (_read is { IsCompleted: true })
        {
            EndRead();
        }

        if (_awaited is { IsCompleted: true })
        {
            _awaited = null;
            ReadOnlySequence<byte> none = default;
            Guard(ref none, static (MqttEndpoint endpoint, ref ReadOnlySequence<byte> _) => endpoint.OnAwaited());
        }

        if (_successors is { IsEmpty: false })
        {
            _endpoint.Close(ReasonCode.SessionTakenOver, "another connection of this client");
        }
    }

    private void StartWaits()
    {
        if (_read is null && _endpoint.Session is { } session && !IsOver
            && session.TryTakeRead(out _readOf, out _isStateRead))
        {
            _read = session.ReadAsync(_readOf, CancellationToken.None);
            _read.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }

        if (_endpoint.Awaited is { } awaited && _awaited is null)
        {
            _awaited = awaited;
            _awaited.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }
    }

    private void EndRead()
    {
        Task<LoadedMessage> read = _read!;
        _read = null;
        LoadedMessage message;
        try
        {
            message = read.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is DamagedRecordException or ConversionException)
        {
            _endpoint.Session!.OnReadFailed(_isStateRead, _readOf, e);
            _hasMore = true;
            return;
        }

        _endpoint.Session!.OnRead(_isStateRead, _readOf, message);
        _hasMore = true;
    }

    private void Flush()
    {
        long written = _endpoint.Output.BytesWritten;
        if (_isFlushing || written == _flushedBytes)
        {
            return;
        }

        _flushedBytes = written;
        // Kept until it is done, then consumed once, by EndFlush or FlushLastAsync; a Task per flush would be garbage.
#pragma warning disable CA2012 // see above
        _flush = _output.FlushAsync();
#pragma warning restore CA2012
        _isFlushing = true;
        if (_flush.IsCompleted)
        {
            EndFlush();
        }
        else
        {
            _flush.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }
    }

    private void EndFlush()
    {
        _isFlushing = false;
        FlushResult result = _flush.Result;
        _peerGone |= result.IsCompleted;
    }

    // The last words go out, if the peer takes them in time.
    private async Task FlushLastAsync()
    {
        if (_peerGone)
        {
            return;
        }

        var patience = TimeSpan.FromMilliseconds(_environment.Options.CloseTimeoutMs);
        try
        {
            await EndFlushAsync(patience);
            Task<FlushResult> last = _output.FlushAsync().AsTask();
            await last.WaitAsync(patience, _environment.Time);
            _lingers = !_peerGone && _endpoint.HasLastWords;
        }
        catch (TimeoutException)
        {
            // It does not read: it goes without.
        }
    }

    // The pending flush has its one continuation, the wake: look again with the clock's help.
    private async Task EndFlushAsync(TimeSpan patience)
    {
        long since = _environment.Time.GetTimestamp();
        while (_isFlushing && !_flush.IsCompleted)
        {
            if (_environment.Time.GetElapsedTime(since) > patience)
            {
                throw new TimeoutException();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(LastLookMs), _environment.Time);
        }

        if (_isFlushing)
        {
            EndFlush();
        }
    }

    private void LetSuccessorsIn()
    {
        while (_successors is { } successors && successors.TryDequeue(out TaskCompletionSource? done))
        {
            done.SetResult();
        }
    }

    // The client's next connection does not wait for that.
    private Task LingerAsync() => _lingers
        ? new Lingering(_environment.Options.LingerMs, _environment.Options.LingerBytesMax, _environment.Time)
            .UntilClosedAsync(_input)
        : Task.CompletedTask;

    private async Task EndAsync()
    {
        try
        {
            if (_read is not null)
            {
                // Its lease is given back before the client goes.
                await ((Task)_read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            _endpoint.End();
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }

        _isGone = true;
        LetSuccessorsIn();
        await LingerAsync();
        await _input.CompleteAsync();
        await _output.CompleteAsync();
    }
}
