using System.IO.Pipelines;

namespace Pillarbox.Transport;

/// <summary>
/// A connection that is over for the node, but not yet for its peer. Bytes that nobody takes would make the system tell
/// the peer of a reset, and it might not get to read the last words. It is heard a little longer, until it closes, and
/// nothing is made of it.
/// </summary>
/// <param name="silentMs">How long it may be silent, in milliseconds; 0: it is not heard at all.</param>
/// <param name="bytesMax">Bytes that are taken from it meanwhile.</param>
/// <param name="time">The clock.</param>
public sealed class Lingering(int silentMs, long bytesMax, TimeProvider time)
{
    /// <summary>Waits until the peer has closed or cut the connection, is silent, or has sent too much. The loop reads
    /// no more.</summary>
    public async Task UntilClosedAsync(PipeReader input)
    {
        try
        {
            await DiscardAsync(input);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The peer, or the listener, has cut the connection: there is nobody to hear any more.
        }
    }

    private async Task DiscardAsync(PipeReader input)
    {
        long discarded = 0;
        bool isOpen = silentMs > 0;
        while (isOpen)
        {
            Task<ReadResult> read = input.ReadAsync().AsTask();
            isOpen = await EndsSoonAsync(read, input);
            ReadResult result = await read;
            discarded += result.Buffer.Length;
            input.AdvanceTo(result.Buffer.End);
            isOpen &= !result.IsCompleted && discarded < bytesMax;
        }
    }

    // False: it was cut short, for nothing comes.
    private async Task<bool> EndsSoonAsync(Task<ReadResult> read, PipeReader input)
    {
        try
        {
            await read.WaitAsync(TimeSpan.FromMilliseconds(silentMs), time);
            return true;
        }
        catch (TimeoutException)
        {
            input.CancelPendingRead();
            return false;
        }
    }
}
