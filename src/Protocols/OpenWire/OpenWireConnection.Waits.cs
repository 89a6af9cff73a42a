using System.IO.Pipelines;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.OpenWire.Consumers;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.OpenWire;

/// <content>
/// What the loop waits for besides input: its flush, one read from disk, a password check, a gate on the input. Each
/// wakes the loop when it is done, and is finished in the next pass, so that everything happens on the loop.
/// </content>
internal sealed partial class OpenWireConnection
{
    private readonly Action _wake;
    private ValueTask<FlushResult> _flush;
    private bool _isFlushing;
    private bool _lingers;
    private long _flushedBytes;
    private Task<ReadMessage>? _read;
    private ConsumerEndpoint? _reading;
    private Task<SaslStep>? _verify;
    private Task? _gate;

    // A message from disk; a body in a file of its own is read whole, for a command is one frame.
    private readonly record struct ReadMessage(MessageLease Lease, byte[]? Body);

    // On threads of its own a wake runs wherever the wait ends; a broker on one thread keeps to its caller's context.
    private bool KeepsContext => !_environment.OwnThreads;

    // A peer that does not read its answers is not heard either.
    private bool IsOutputFull =>
        _isFlushing && _session.Output.BytesWritten - _flushedBytes > _environment.Options.OutputBytesMax;

    private bool HasCompleted() =>
        (_isFlushing && _flush.IsCompleted)
        || _read is { IsCompleted: true }
        || _verify is { IsCompleted: true }
        || _gate is { IsCompleted: true };

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

        if (_verify is { IsCompleted: true } verified)
        {
            _verify = null;
            _session.OnVerified(verified.GetAwaiter().GetResult());
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
        while (_read is null && _session.TryTakeRead(out ConsumerEndpoint? consumer))
        {
            StartRead(consumer!);
        }

        if (_session.SaslToVerify is { } sasl && _verify is null)
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

    private void StartRead(ConsumerEndpoint consumer)
    {
        if (consumer.IsClosed || consumer.PendingCount == 0)
        {
            consumer.IsReading = false;
            return;
        }

        _reading = consumer;
        _read = ReadAsync(consumer.NextDelivery);
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

    private async Task<ReadMessage> ReadAsync(Delivery delivery)
    {
        MessageLease lease = await _session.Connected.Client.ReadAsync(delivery, CancellationToken.None)
            .ConfigureAwait(KeepsContext);
        if (lease.Large is null)
        {
            return new ReadMessage(lease, null);
        }

        using LargeBody large = lease.Large;
        if (large.Length > _environment.Options.FrameBytesMax)
        {
            lease.Dispose();
            throw new ConversionException(
                $"the message has {large.Length} bytes; at most {_environment.Options.FrameBytesMax} go in a command");
        }

        byte[] body = new byte[large.Length];
        int read = 0;
        while (read < body.Length)
        {
            int piece = await large.ReadAsync(read, body.AsMemory(read), CancellationToken.None)
                .ConfigureAwait(KeepsContext);
            read = piece > 0
                ? read + piece
                : throw new DamagedRecordException(delivery.MessageId, "the body's file is shorter than the message");
        }

        return new ReadMessage(lease, body);
    }

    private void EndRead()
    {
        Task<ReadMessage> read = _read!;
        ConsumerEndpoint consumer = _reading!;
        _read = null;
        _reading = null;
        try
        {
            ReadMessage message = read.GetAwaiter().GetResult();
            _session.Connected.Turns.OnRead(consumer, message.Lease, message.Body);
        }
        catch (DamagedRecordException damage)
        {
            _session.Connected.Turns.OnReadFailed(consumer, damage.Message, isDamaged: true);
        }
        catch (ConversionException refusal)
        {
            _session.Connected.Turns.OnReadFailed(consumer, refusal.Message, isDamaged: false);
        }
    }

    private void Flush()
    {
        long written = _session.Output.BytesWritten;
        if (_isFlushing || written == _flushedBytes)
        {
            return;
        }

        _flushedBytes = written;
        _timers.OnSent(_session.Clock.SteadyMs);
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
        var patience = TimeSpan.FromMilliseconds(_environment.Options.CloseTimeoutMs);
        try
        {
            long until = SteadyMs + _environment.Options.CloseTimeoutMs;
            while (_isFlushing && !_flush.IsCompleted && SteadyMs < until)
            {
                // The flush's only continuation is the wake: look again with the clock's help.
                await Task.Delay(TimeSpan.FromMilliseconds(10), _environment.Time);
            }

            if (_isFlushing && !_flush.IsCompleted)
            {
                return;
            }

            if (_isFlushing)
            {
                EndFlush();
            }

            await _output.FlushAsync().AsTask().WaitAsync(patience, _environment.Time);
            _lingers = !_peerGone;
        }
        catch (TimeoutException)
        {
            // It does not read: it goes without.
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
            while (_read is { IsCompleted: false })
            {
                // The read's only continuation is the wake: look again with the clock's help.
                await Task.Delay(TimeSpan.FromMilliseconds(10), _environment.Time);
            }

            // First: what was read for its consumers goes back as it was, instead of out to nobody.
            _session.Leave();
            if (_read is not null)
            {
                EndRead();
            }
        }
        catch (Exception e)
        {
            Log.OwnFault(_environment.Logger, e, _peer.RemoteEndPoint);
        }

        _over.TrySetResult();
        await LingerAsync();
        await _input.CompleteAsync();
        await _output.CompleteAsync();
    }
}
