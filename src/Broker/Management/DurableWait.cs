using Pillarbox.Storage;

namespace Pillarbox.Broker.Management;

/// <summary>Waits for the journal, for those who may await.</summary>
internal sealed class DurableWait : IDurableWaiter
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when what was waited for is durable; throws <see cref="BrokerException"/> when it cannot
    /// be.</summary>
    public Task Task => _done.Task;

    /// <summary>Completes when everything below the position is durable.</summary>
    public static Task Until(SegmentedLog log, long position)
    {
        if (position <= log.DurablePosition)
        {
            return Task.CompletedTask;
        }

        DurableWait wait = new();
        log.WhenDurable(position, wait);
        return wait._done.Task;
    }

    public void OnDurable(long durablePosition) => _done.TrySetResult();

    public void OnFailed(StorageFailedException failure) =>
        _done.TrySetException(new BrokerException(BrokerError.Unavailable, failure.Message));
}
