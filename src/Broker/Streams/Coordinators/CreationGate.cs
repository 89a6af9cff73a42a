using System.Collections.Concurrent;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>Holds completions back until the stream that they wrote to is itself on disk. Any thread.</summary>
internal sealed class CreationGate(bool isOpen) : IDurableWaiter
{
    private readonly ConcurrentQueue<(Action<bool> Done, bool Ok)> _held = new();
    private volatile bool _isOpen = isOpen;
    private volatile bool _isBroken;

    public void Pass(Action<bool> done, bool ok)
    {
        if (_isOpen)
        {
            done(ok && !_isBroken);
            return;
        }

        _held.Enqueue((done, ok));
        if (_isOpen)
        {
            Drain();
        }
    }

    public void OnDurable(long durablePosition)
    {
        _isOpen = true;
        Drain();
    }

    public void OnFailed(StorageFailedException failure)
    {
        _isBroken = true;
        _isOpen = true;
        Drain();
    }

    private void Drain()
    {
        while (_held.TryDequeue(out var held))
        {
            held.Done(held.Ok && !_isBroken);
        }
    }
}

/// <summary>Tells a callback whether what was waited for is on disk.</summary>
internal sealed class DurableCallback(Action<bool> done) : IDurableWaiter
{
    public void OnDurable(long durablePosition) => done(true);

    public void OnFailed(StorageFailedException failure) => done(false);
}
