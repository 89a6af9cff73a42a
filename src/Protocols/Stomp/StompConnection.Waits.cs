using System.IO.Pipelines;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Stomp.Subscriptions;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Stomp;

/// <content>
/// What the loop waits for besides input: its flush, one read from disk, a login check, a disk that is behind. Each
/// wakes the loop when it is done, and is finished in the next pass, so that everything happens on the loop.
/// </content>
internal sealed partial class StompConnection
{
    private readonly Action _wake;
    private ValueTask<FlushResult> _flush;
    private bool _isFlushing;
    private long _flushedBytes;
    private ValueTask<MessageLease> _read;
    private StompSubscription? _reading;
    private ValueTask<int> _piece;
    private bool _isReadingPiece;
    private Task<SaslStep>? _verify;
    private Task? _gate;

    // On threads of its own a wake runs wherever the wait ends; a broker on one thread keeps to its caller's context.
    private bool KeepsContext => !_environment.OwnThreads;

    // A peer that does not read its answers is not heard either.
    private bool IsOutputFull =>
        _isFlushing && _session.Frames.BytesWritten - _flushedBytes > _environment.Options.OutputBytesMax;

    private bool HasCompleted() =>
        (_isFlushing && _flush.IsCompleted)
        || (_reading is not null && _read.IsCompleted)
        || (_isReadingPiece && _piece.IsCompleted)
        || _verify is { IsCompleted: true }
        || _gate is { IsCompleted: true };

    private void FinishWaits()
    {
        if (_isFlushing && _flush.IsCompleted)
        {
            EndFlush();
        }

        if (_reading is not null && _read.IsCompleted)
        {
            EndRead();
        }

        if (_isReadingPiece && _piece.IsCompleted)
        {
            EndPiece();
        }

        if (_verify is { IsCompleted: true } verified)
        {
            _verify = null;
            _session.OnSaslVerified(verified.GetAwaiter().GetResult());
        }

        if (_gate is { IsCompleted: true } gate)
        {
            _gate = null;
            gate.GetAwaiter().GetResult();
            _session.ResumeInput();
        }
    }

    private void StartWaits()
    {
        while (_reading is null && _session.TryTakeRead(out StompSubscription? subscription))
        {
            StartRead(subscription!);
        }

        if (!_isReadingPiece && _session.PieceToRead is { } message)
        {
            StartPiece(message);
        }

        if (_session.Login.ToVerify is { } sasl && _verify is null)
        {
            _verify = sasl.VerifyAsync(CancellationToken.None).AsTask();
            _verify.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }

        if (_session.InputGate is { } gate && _gate is null)
        {
            _gate = gate;
            _gate.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }
    }

    // Kept until they are done, then consumed once; a Task for each would be garbage.
#pragma warning disable CA2012 // see above
    private void StartRead(StompSubscription subscription)
    {
        if (subscription.IsOver)
        {
            subscription.IsReading = false;
            return;
        }

        _read = _session.Connected.Client.ReadAsync(subscription.Pending.Head, CancellationToken.None);
        _reading = subscription;
        if (_read.IsCompleted)
        {
            EndRead();
            _hasMore = true;
        }
        else
        {
            _read.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }
    }

    private void StartPiece(LargeMessage message)
    {
        _piece = message.ReadPiece(CancellationToken.None);
        _isReadingPiece = true;
        if (_piece.IsCompleted)
        {
            EndPiece();
            _hasMore = true;
        }
        else
        {
            _piece.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }
    }

    private void Flush()
    {
        long written = _session.Frames.BytesWritten;
        if (_isFlushing || written == _flushedBytes)
        {
            return;
        }

        _flushedBytes = written;
        _timers.OnSent(SteadyMs);
        _session.BeginFlush();
        _flush = _output.FlushAsync();
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
#pragma warning restore CA2012

    private void EndRead()
    {
        StompSubscription subscription = _reading!;
        _reading = null;
        try
        {
            _session.Connected.Turns.OnRead(subscription, _read.Result);
        }
        catch (DamagedRecordException damage)
        {
            _session.Connected.Turns.OnReadFailed(subscription, damage.Message, isWhole: false);
        }
        catch (ConversionException refusal)
        {
            _session.Connected.Turns.OnReadFailed(subscription, refusal.Message, isWhole: true);
        }
    }

    private void EndPiece()
    {
        _isReadingPiece = false;
        try
        {
            _session.Connected.Turns.OnPieceRead(_piece.Result);
        }
        catch (DamagedRecordException)
        {
            _session.Connected.Turns.OnPieceRead(0);
        }
    }

    private void EndFlush()
    {
        _isFlushing = false;
        FlushResult result = _flush.Result;
        _peerGone |= result.IsCompleted;
        if (!result.IsCompleted)
        {
            _session.EndFlush();
            _hasMore = true;
        }
    }

    // The last words go out, if the peer takes them in time.
    private async Task FlushLastAsync()
    {
        if (_session.State != SessionState.Ended)
        {
            return;
        }

        var patience = TimeSpan.FromMilliseconds(_environment.Options.CloseTimeoutMs);
        try
        {
            await EndFlushAsync(patience);
            Task<FlushResult> last = _output.FlushAsync().AsTask();
            await last.WaitAsync(patience, _environment.Time);
            await LingerAsync();
        }
        catch (TimeoutException)
        {
            // It does not read: it goes without.
        }
    }

    // 1.2, "Connection Lingering".
    private Task LingerAsync() => _peerGone
        ? Task.CompletedTask
        : new Lingering(_environment.Options.LingerMs, _environment.Options.LingerBytesMax, _environment.Time)
            .UntilClosedAsync(_input);

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

            await Task.Delay(TimeSpan.FromMilliseconds(10), _environment.Time);
        }

        if (_isFlushing)
        {
            EndFlush();
        }
    }

    private async Task SayInternalErrorAsync()
    {
        try
        {
            _session.Fail("internal error");
            await FlushLastAsync();
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }
    }

    private async Task EndAsync()
    {
        try
        {
            await FinishReadsAsync();
            _session.Dispose();
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }

        await _input.CompleteAsync();
        await _output.CompleteAsync();
    }

    // The reads' only continuation is the wake: look again with the clock's help.
    private async Task FinishReadsAsync()
    {
        while ((_reading is not null && !_read.IsCompleted) || (_isReadingPiece && !_piece.IsCompleted))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), _environment.Time);
        }

        if (_reading is not null)
        {
            EndRead();
        }

        if (_isReadingPiece)
        {
            EndPiece();
        }
    }
}
