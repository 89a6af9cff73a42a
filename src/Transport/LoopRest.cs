using System.IO.Pipelines;
using Pillarbox.Transport.Sockets;

namespace Pillarbox.Transport;

/// <summary>A connection's loop, as its <see cref="LoopRest"/> sees it.</summary>
public interface IRestingLoop
{
    /// <summary>
    /// Whether the loop has something to do besides input. Looked at on the loop, after it has said that it waits:
    /// whoever makes it true afterwards calls <see cref="LoopRest.Wake"/>.
    /// </summary>
    bool HasWork { get; }
}

/// <summary>
/// Where a connection's loop waits: for input or a wake; and, when its input is over while something of it is not taken
/// yet, for a wake alone, for a pipe that is complete answers each read at once, and the loop would read for ever. One
/// loop waits; any thread wakes it.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="input">What it reads. Its continuations run in place.</param>
/// <param name="ownThreads">Whether a wake hands the loop to another thread, for who wakes has its own work; else
/// the loop goes on inside the wake, on the thread of its caller, and its waits keep to the caller's context.</param>
public sealed class LoopRest(IRestingLoop loop, PipeReader input, bool ownThreads) : IThreadPoolWorkItem
{
    private int _waiting;
    private TaskCompletionSource? _rest;

    /// <summary>Makes the loop run a pass if it waits. Any thread.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _waiting, 0) == 0)
        {
            return;
        }

        if (ownThreads)
        {
            SocketLoops.Queue(this);
        }
        else
        {
            Resume();
        }
    }

    /// <summary>Where a wake has led: the loop goes on in here.</summary>
    void IThreadPoolWorkItem.Execute() => Resume();

    /// <summary>Waits for input or a wake; with work to do it only looks what input there is. On the loop.</summary>
    public ValueTask<ReadResult> ReadAsync()
    {
        if (!MayWait())
        {
            input.CancelPendingRead();
        }

        return input.ReadAsync();
    }

    /// <summary>Waits for a wake alone: the input is over. On the loop.</summary>
    public async ValueTask WakeAsync()
    {
        // A rest is there before the loop says that it waits: a wake from then on ends it.
        var rest = new TaskCompletionSource();
        Volatile.Write(ref _rest, rest);
        if (MayWait())
        {
            await rest.Task.ConfigureAwait(!ownThreads);
        }

        Volatile.Write(ref _rest, null);
    }

    /// <summary>A pass begins: wakes from now on are for the next one, and find their reasons there. On the loop.
    /// </summary>
    public void BeginPass() => Interlocked.Exchange(ref _waiting, 0);

    private bool MayWait()
    {
        Interlocked.Exchange(ref _waiting, 1);
        return !(loop.HasWork && Interlocked.Exchange(ref _waiting, 0) == 1);
    }

    private void Resume()
    {
        input.CancelPendingRead();
        Volatile.Read(ref _rest)?.TrySetResult();
    }
}
