using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// An owner without a connection: whoever hands something over wakes it, and it runs on a thread of the pool, one at a
/// time, until nothing is left.
/// </summary>
internal abstract class PoolLoop(bool ownThreads) : IWakeable, IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Again = 2;

    private int _state;

    /// <summary>Runs soon. Any thread.</summary>
    public void Wake()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if (state == Again)
            {
                return;
            }

            int next = state == Idle ? Running : Again;
            if (Interlocked.CompareExchange(ref _state, next, state) != state)
            {
                continue;
            }

            if (state == Idle)
            {
                Start();
            }

            return;
        }
    }

    /// <summary>Runs at once on the caller's thread, which has nothing else to do, unless it runs already. Any
    /// thread.</summary>
    public void RunHere()
    {
        if (Interlocked.CompareExchange(ref _state, Running, Idle) == Idle)
        {
            ((IThreadPoolWorkItem)this).Execute();
        }
        else
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    void IThreadPoolWorkItem.Execute()
    {
        do
        {
            Interlocked.Exchange(ref _state, Running);
            try
            {
                Run();
            }
            catch (Exception e)
            {
                OnFault(e);
            }
        }
        while (Interlocked.CompareExchange(ref _state, Idle, Running) != Running);
    }

    /// <summary>Does what there is to do.</summary>
    protected abstract void Run();

    /// <summary>A fault of the node's own.</summary>
    protected abstract void OnFault(Exception fault);

    private void Start()
    {
        if (ownThreads)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            ((IThreadPoolWorkItem)this).Execute();
        }
    }
}
