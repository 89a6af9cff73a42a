using System.IO.Pipelines;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp;

/// <content>
/// What the loop waits for besides input: its flush, one read from disk, a login check, a disk that is behind. Each
/// wakes the loop when it is
/// done, and is finished in the next pass, so that everything happens on the loop.
/// </content>
internal sealed partial class AmqpConnection
{
    private readonly Action _wake;
    private ValueTask<FlushResult> _flush;
    private bool _isFlushing;
    private long _flushedBytes;
    private LinkRead _read;
    private bool _isReading;
    private Task<SaslStep>? _verify;
    private Task? _gate;
    private bool _lingers;

    // On threads of its own a wake runs wherever the wait ends; a broker on one thread keeps to its caller's context.
    private bool KeepsContext => !_environment.OwnThreads;

    // A peer that does not read its answers is not heard either.
    private bool IsOutputFull =>
        _isFlushing && _endpoint.Frames.BytesWritten - _flushedBytes > _environment.Options.OutputBytesMax;

    private bool HasCompleted() =>
        (_isFlushing && _flush.IsCompleted)
        || (_isReading && _read.IsCompleted)
        || _verify is { IsCompleted: true }
        || _gate is { IsCompleted: true }
        || _linksToGiveUp is { IsEmpty: false };

    private void FinishWaits()
    {
        if (_isFlushing && _flush.IsCompleted)
        {
            EndFlush();
        }

        if (_isReading && _read.IsCompleted)
        {
            EndRead();
        }

        if (_verify is { IsCompleted: true } verified)
        {
            _verify = null;
            _endpoint.OnSaslVerified(verified.GetAwaiter().GetResult());
        }

        if (_gate is { IsCompleted: true } gate)
        {
            _gate = null;
            gate.GetAwaiter().GetResult();
            Guard(static endpoint => endpoint.ResumeInput());
        }

        GiveUpLinks();
    }

    private void StartWaits()
    {
        while (!_isReading && _endpoint.Turns.TryTakeRead(out SendingLink? link))
        {
            StartRead(link);
        }

        if (_endpoint.Sasl.ToVerify is { } sasl && _verify is null)
        {
            _verify = sasl.VerifyAsync(CancellationToken.None).AsTask();
            if (!_verify.IsCompleted)
            {
                _verify.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
            }
        }

        if (_endpoint.Hold.Gate is { } gate && _gate is null)
        {
            _gate = gate;
            _gate.ConfigureAwait(KeepsContext).GetAwaiter().UnsafeOnCompleted(_wake);
        }
    }

    private void StartRead(SendingLink link)
    {
        if (link.State != LinkState.Attached)
        {
            return;
        }

        _read = link.StartRead(CancellationToken.None);
        _isReading = true;
        if (_read.IsCompleted)
        {
            EndRead();
            _hasMore = true;
        }
        else
        {
            _read.OnCompleted(_wake, KeepsContext);
        }
    }

    private void EndRead()
    {
        _isReading = false;
        try
        {
            _read.Finish();
        }
        catch (DamagedRecordException damage)
        {
            _read.Link.OnReadFailed(damage.Message);
        }
        catch (ConversionException refusal)
        {
            _read.Link.OnReadRefused(refusal.Message);
        }
    }

    private void Flush()
    {
        long written = _endpoint.Frames.BytesWritten;
        if (_isFlushing || written == _flushedBytes)
        {
            return;
        }

        _flushedBytes = written;
        _timers.OnSent(SteadyMs);
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
        if (_endpoint.State != ConnectionState.Ended && _peerGone && _endpoint.State != ConnectionState.CloseSent)
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

    // What the peer is still sending would otherwise cost it those words.
    private Task LingerAsync() => _lingers
        ? new Lingering(_environment.Options.LingerMs, _environment.Options.LingerBytesMax, _environment.Time)
            .UntilClosedAsync(_input)
        : Task.CompletedTask;

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
            _endpoint.Close(
                new AmqpError { Condition = AmqpErrorCondition.InternalError, Description = "internal error" });
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
            await FinishReadAsync();
            _endpoint.Dispose();
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }

        _isOver = true;
        GiveUpLinks();
        await LingerAsync();
        await _input.CompleteAsync();
        await _output.CompleteAsync();
    }

    private async Task FinishReadAsync()
    {
        if (!_isReading)
        {
            return;
        }

        while (!_read.IsCompleted)
        {
            // The read's only continuation is the wake: look again with the clock's help.
            await Task.Delay(TimeSpan.FromMilliseconds(10), _environment.Time);
        }

        EndRead();
    }
}
