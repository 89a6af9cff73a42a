using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>Waits until what was made is on disk. What continues it runs on the flusher, and has to be short.</summary>
internal sealed class BindingsGate : IDurableWaiter
{
    private readonly TaskCompletionSource<bool> _done = new();

    /// <summary>True: durable; false: the journal failed.</summary>
    public Task<bool> Done => _done.Task;

    public void OnDurable(long durablePosition) => _done.TrySetResult(true);

    public void OnFailed(StorageFailedException failure) => _done.TrySetResult(false);
}
