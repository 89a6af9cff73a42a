#pragma warning disable RS0030 // the network seam: threads that wait for sockets
using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Pillarbox.Transport.Sockets;

/// <summary>
/// The threads that wait for sockets, and read from them in place: what is received is worked on where it came, without
/// a change of threads. Any thread of a group takes any socket of the group, so that one which is busy, or waits for
/// the disk, keeps no other socket waiting. One set for the process. Thread-safe.
/// </summary>
internal sealed class SocketLoops
{
    private const int ThreadsPerProcessor = 2;
    private const int ThreadsMin = 4;
    private const int ThreadsMax = 128;

    // The system has a lock for each list of sockets.
    private const int ThreadsPerGroup = 16;

    private static readonly Lazy<SocketLoops> All = new(() => new SocketLoops());

    [ThreadStatic]
    private static Group? _own;

    private readonly Group[] _groups;
    private readonly ConcurrentDictionary<long, ISocketReader> _readers = new();
    private long _lastNumber;

    private SocketLoops()
    {
        int threads = Math.Clamp(ThreadsPerProcessor * Environment.ProcessorCount, ThreadsMin, ThreadsMax);
        _groups = new Group[(threads + ThreadsPerGroup - 1) / ThreadsPerGroup];
        for (int i = 0; i < _groups.Length; i++)
        {
            _groups[i] = new Group();
        }

        for (int i = 0; i < threads; i++)
        {
            Group group = _groups[i % _groups.Length];
            new Thread(() => Run(group)) { IsBackground = true, Name = "sockets" }.Start();
        }
    }

    /// <summary>Whether this system has what they need.</summary>
    public static bool AreHere => OperatingSystem.IsLinux();

    /// <summary>Those of the process; made when first asked for.</summary>
    /// <exception cref="IOException">The system gives no more descriptors.</exception>
    public static SocketLoops Shared => All.Value;

    /// <summary>A number for a reader's socket.</summary>
    public long Add(ISocketReader reader)
    {
        long number = Interlocked.Increment(ref _lastNumber);
        _readers[number] = reader;
        return number;
    }

    /// <summary>Tells the reader once, on one of the threads, when there is something to read.</summary>
    /// <exception cref="IOException">The system refused.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void Watch(SafeHandle socket, long number) => GroupOf(number).Poll.Watch(socket, number);

    /// <summary>Tells the reader once more, behind the readers of other sockets.</summary>
    /// <inheritdoc cref="Watch"/>
    public void WatchAgain(SafeHandle socket, long number) => GroupOf(number).Poll.WatchAgain(socket, number);

    /// <summary>The reader is told no more; what is under way still reaches it.</summary>
    public void Remove(long number) => _readers.TryRemove(number, out _);

    /// <summary>Lets one of the threads do this; on a system without them, one of the pool. Any thread.</summary>
    public static void Queue(IThreadPoolWorkItem work)
    {
        if (AreHere)
        {
            (_own ?? Shared._groups[0]).Queue(work);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        }
    }

    private Group GroupOf(long number) => _groups[number % _groups.Length];

    private void Run(Group group)
    {
        _own = group;
        while (true)
        {
            if (_readers.TryGetValue(group.Next(), out ISocketReader? reader))
            {
                reader.OnReadable();
            }
        }
    }

    // Threads that take each other's work.
    private sealed class Group
    {
        private readonly ConcurrentQueue<IThreadPoolWorkItem> _queue = new();
        private int _waiting;

        public ReadinessPoll Poll { get; } = new();

        public void Queue(IThreadPoolWorkItem work)
        {
            _queue.Enqueue(work);
            Interlocked.MemoryBarrier();
            // Who does not wait looks here before it does.
            if (Volatile.Read(ref _waiting) > 0)
            {
                Poll.Call();
            }
        }

        /// <summary>Does what is queued, between looks at the sockets; returns the number of one that can be
        /// read.</summary>
        public long Next()
        {
            while (true)
            {
                if (_queue.TryDequeue(out IThreadPoolWorkItem? work))
                {
                    work.Execute();
                }

                Interlocked.Increment(ref _waiting);
                long number = Poll.Wait(looksOnly: !_queue.IsEmpty);
                Interlocked.Decrement(ref _waiting);
                if (number > ReadinessPoll.Called)
                {
                    return number;
                }
            }
        }
    }
}

/// <summary>Who reads from a socket.</summary>
internal interface ISocketReader
{
    /// <summary>There is something to read, or the end. Never throws.</summary>
    void OnReadable();
}
