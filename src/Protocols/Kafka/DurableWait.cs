using Pillarbox.Storage;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// Waits until several appends are on disk. Count them up with <see cref="Expect"/>, then await <see cref="Task"/>.
/// The flusher's thread only marks; who awaits goes on elsewhere.
/// </summary>
internal sealed class DurableWait : IDurableWaiter
{
    private readonly TaskCompletionSource<bool> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;
    private volatile bool _failed;

    /// <summary>True when all is on disk; false when the disk failed.</summary>
    public Task<bool> Task => _done.Task;

    /// <param name="open">What is to be waited for: one thing, or, to count them with <see cref="Expect"/> until
    /// <see cref="Seal"/>, a first one that stands for the counting.</param>
    public DurableWait(int open = 1) => _open = open;

    /// <summary>One more append that is to be waited for; say it before it is registered.</summary>
    public void Expect() => Interlocked.Increment(ref _open);

    /// <summary>All were counted.</summary>
    public void Seal() => Close();

    public void OnDurable(long position) => Close();

    public void OnFailed(StorageFailedException failure)
    {
        _failed = true;
        Close();
    }

    private void Close()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _done.TrySetResult(!_failed);
        }
    }
}
