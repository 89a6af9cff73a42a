namespace Pillarbox.Broker.Streams;

/// <summary>Wants to know when a waiting read can go on. Called once, on any thread, perhaps under a partition's lock:
/// do
/// nothing but wake the owner.</summary>
public interface IReadWaiter
{
    /// <summary>Enough is there, or the time is over.</summary>
    void OnReadable();
}

/// <summary>
/// One read that waits on several partitions for so many more bytes, or until a deadline. It is entered in each
/// partition's
/// list and once in the node's heap of deadlines, so that a waiting read has no timer and no thread. Reusable. One
/// owner
/// calls <see cref="Begin"/>, <see cref="Add"/>, <see cref="Arm"/> and <see cref="Cancel"/>.
/// </summary>
public sealed class ReadAwaiter(StreamCatalog catalog, IReadWaiter waiter)
{
    private const int Idle = 0;
    private const int Collecting = 1;
    private const int Armed = 2;
    private const int Fired = 3;

    private readonly List<Partition> _partitions = [];
    private long _bytesMissing;
    private long _bytes;
    private int _state;

    /// <summary>When it ends, in milliseconds since the Unix epoch.</summary>
    internal long DeadlineMs { get; private set; }

    /// <summary>Whether the heap of deadlines holds it; under that heap's lock.</summary>
    internal bool IsInHeap { get; set; }

    /// <summary>Whether it still waits.</summary>
    internal bool IsArmed => Volatile.Read(ref _state) == Armed;

    /// <summary>Begins to wait for so many bytes more than the reads found, for at most so long.</summary>
    public void Begin(long bytesMissing, int waitMs)
    {
        Cancel();
        _bytesMissing = Math.Max(1, bytesMissing);
        DeadlineMs = catalog.Services.NowMs + waitMs;
        Volatile.Write(ref _bytes, 0);
        Volatile.Write(ref _state, Collecting);
    }

    /// <summary>Waits for this partition too. <paramref name="seenOffset"/>: the high watermark (for committed reads
    /// the last
    /// stable offset) that the read was told.</summary>
    public void Add(Partition partition, long seenOffset, Isolation isolation)
    {
        _partitions.Add(partition);
        partition.Awaiters.Add(this);
        long limit = isolation == Isolation.Committed ? partition.LastStableOffset : partition.HighWatermark;
        if (limit != seenOffset || partition.Stream.IsDeleted)
        {
            Note(_bytesMissing);
        }
    }

    /// <summary>From now on the waiter is called. False: enough came meanwhile, it will not be called; read
    /// again.</summary>
    public bool Arm()
    {
        Volatile.Write(ref _state, Armed);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _bytes) >= _bytesMissing
            && Interlocked.CompareExchange(ref _state, Fired, Armed) == Armed)
        {
            return false;
        }

        catalog.Services.Deadlines.Add(this);
        return true;
    }

    /// <summary>Waits no longer. The waiter may be called once more if that is under way.</summary>
    public void Cancel()
    {
        Volatile.Write(ref _state, Idle);
        foreach (Partition partition in _partitions)
        {
            partition.Awaiters.Remove(this);
        }

        _partitions.Clear();
    }

    /// <summary>So many more bytes can be read.</summary>
    internal void Note(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) >= _bytesMissing)
        {
            Fire();
        }
    }

    /// <summary>The wait is over, whatever the reason.</summary>
    internal void Fire()
    {
        if (Interlocked.CompareExchange(ref _state, Fired, Armed) == Armed)
        {
            waiter.OnReadable();
        }
    }
}

/// <summary>The reads that wait on one partition. Any thread.</summary>
internal sealed class ReadAwaiterList
{
    private readonly List<ReadAwaiter> _waiting = [];
    private volatile bool _any;

    public void Add(ReadAwaiter awaiter)
    {
        lock (_waiting)
        {
            _waiting.Add(awaiter);
            _any = true;
        }

        // Whoever moves the watermark looks at the flag after, we look at the watermark after: one sees the other.
        Interlocked.MemoryBarrier();
    }

    public void Remove(ReadAwaiter awaiter)
    {
        lock (_waiting)
        {
            _waiting.Remove(awaiter);
            _any = _waiting.Count > 0;
        }
    }

    /// <summary>So many more bytes can be read.</summary>
    public void Signal(long bytes)
    {
        Interlocked.MemoryBarrier();
        if (!_any)
        {
            return;
        }

        lock (_waiting)
        {
            // A waiter that runs at once may take itself out.
            for (int i = _waiting.Count - 1; i >= 0; i--)
            {
                if (i < _waiting.Count)
                {
                    _waiting[i].Note(bytes);
                }
            }
        }
    }
}
