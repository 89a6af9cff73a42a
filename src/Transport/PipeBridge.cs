using System.IO.Pipelines;

namespace Pillarbox.Transport;

/// <summary>
/// Puts plain pipes before a transport whose pipes lie over a stream (TLS). A protocol's loop writes while a
/// flush is pending and cancels reads to wake itself; a stream under its pipe does not bear either.
/// </summary>
internal sealed class PipeBridge : IDuplexPipe, IAsyncDisposable
{
    private const int PauseBytes = 64 << 10;

    private readonly Pipe _in = new(
        new PipeOptions(pauseWriterThreshold: PauseBytes, useSynchronizationContext: false));
    private readonly Pipe _out = new(
        new PipeOptions(pauseWriterThreshold: PauseBytes, useSynchronizationContext: false));
    private readonly IDuplexPipe _transport;
    private readonly Task _inwards;
    private readonly Task _outwards;

    public PipeBridge(IDuplexPipe transport)
    {
        _transport = transport;
        _inwards = PumpAsync(transport.Input, _in.Writer);
        _outwards = PumpAsync(_out.Reader, transport.Output);
    }

    /// <inheritdoc/>
    public PipeReader Input => _in.Reader;

    /// <inheritdoc/>
    public PipeWriter Output => _out.Writer;

    /// <summary>The loop has completed its ends: what is left goes out, then both pumps end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _outwards;
        _transport.Input.CancelPendingRead();
        await _inwards;
    }

    private static async Task PumpAsync(PipeReader from, PipeWriter to)
    {
        Exception? fault = null;
        try
        {
            await from.CopyToAsync(to);
        }
        catch (Exception e)
        {
            // A cut connection: the loop sees the end of its input.
            fault = e is OperationCanceledException ? null : new IOException("the transport failed", e);
        }

        await to.CompleteAsync(fault);
        await from.CompleteAsync();
    }
}
