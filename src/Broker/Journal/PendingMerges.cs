using System.Collections.Concurrent;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Annotations that a commit has in the journal and that wait for their message to be read. A snapshot of the queues
/// shows the message without them, so it may not count before they are in the journal once more. Any thread.
/// </summary>
internal sealed class PendingMerges
{
    private readonly ConcurrentDictionary<TaskCompletionSource, bool> _pending = new();

    /// <summary>One begins; complete it when it is appended, or given up.</summary>
    public TaskCompletionSource Begin()
    {
        TaskCompletionSource merge = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[merge] = true;
        return merge;
    }

    public void End(TaskCompletionSource merge)
    {
        _pending.TryRemove(merge, out _);
        merge.SetResult();
    }

    /// <summary>Completes when those that have begun by now have ended.</summary>
    public Task WhenDone() => Task.WhenAll(_pending.Keys.Select(merge => merge.Task));
}
