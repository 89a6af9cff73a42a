using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Pillarbox.Transport.Sockets;

/// <summary>How a socket's input ended.</summary>
internal enum IntakeEnd
{
    /// <summary>The peer sends no more.</summary>
    PeerFinished,

    /// <summary>The socket was closed here, or its reader takes no more.</summary>
    Closed,

    /// <summary>The connection failed.</summary>
    Failed,
}

/// <summary>
/// From a socket into a pipe, whose reader goes on in place. One thread reads at a time, until a read finds less than
/// there was room for; then the socket is asked to tell when there is more. Few bytes come by way of a buffer of the
/// thread, and many straight into the pipe's, so that no connection holds a block for what has not come.
/// </summary>
internal sealed partial class SocketIntake : ISocketReader, IThreadPoolWorkItem
{
    private const int MuchBytes = 4 << 10;
    private const int ScratchBytes = 64 << 10;

    // After so many full reads other sockets are served first.
    private const int ReadsMax = 16;

    private const int DoNotWait = 0x40; // MSG_DONTWAIT
    private const int Peek = 0x2; // MSG_PEEK
    private const int WouldBlock = 11; // EAGAIN
    private const int Interrupted = 4; // EINTR
    private const int BadDescriptor = 9; // EBADF

    [ThreadStatic]
    private static byte[]? _scratch;

    private static byte[] Scratch =>
        _scratch ??= GC.AllocateUninitializedArray<byte>(ScratchBytes, pinned: true);

    private readonly SafeHandle _socket;
    private readonly PipeWriter _pipe;
    private readonly Action<IntakeEnd, int> _onEnd;
    private readonly Action _onFlushed;
    private ValueTask<FlushResult> _flush;
    private readonly SocketLoops _loops = SocketLoops.Shared;
    private long _number;
    private int _turn;
    private bool _isPooled;
    private bool _comesMuch;
    private bool _isTold;
    private bool _wasFull;

    /// <param name="socket">The socket.</param>
    /// <param name="pipe">Where what is received goes.</param>
    /// <param name="onEnd">Called once, at the end, with the system's error number or 0; completes the pipe.</param>
    public SocketIntake(SafeHandle socket, PipeWriter pipe, Action<IntakeEnd, int> onEnd)
    {
        (_socket, _pipe, _onEnd) = (socket, pipe, onEnd);
        _onFlushed = OnFlushed;
    }

    private static class Turn
    {
        /// <summary>Nobody reads.</summary>
        public const int Free = 0;

        /// <summary>Somebody reads, or waits for the pipe to have room, or the end has come.</summary>
        public const int Taken = 1;

        /// <summary>The same, and it was closed since.</summary>
        public const int TakenAgain = 2;
    }

    /// <summary>Begins to read. Once.</summary>
    /// <inheritdoc cref="SocketLoops.Watch" path="/exception"/>
    public void Start()
    {
        _number = _loops.Add(this);
        try
        {
            _loops.Watch(_socket, _number);
        }
        catch
        {
            _loops.Remove(_number);
            throw;
        }
    }

    /// <summary>From now on reads on threads of the pool: the pipe's reader may hold its thread for long. Any thread.
    /// </summary>
    public void UsePool() => Volatile.Write(ref _isPooled, true);

    /// <summary>The socket was closed here: reads on, to see that it has ended. Any thread; the reader of the pipe goes
    /// on elsewhere.</summary>
    public void End()
    {
        if (TryTake())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <inheritdoc/>
    public void OnReadable()
    {
        if (!TryTake())
        {
            return;
        }

        _isTold = true;
        if (Volatile.Read(ref _isPooled))
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            GoOn();
        }
    }

    /// <summary>The turn was taken for this thread.</summary>
    void IThreadPoolWorkItem.Execute() => GoOn();

    private bool TryTake()
    {
        while (true)
        {
            int turn = Volatile.Read(ref _turn);
            int next = turn == Turn.Free ? Turn.Taken : Turn.TakenAgain;
            if (turn == next || Interlocked.CompareExchange(ref _turn, next, turn) == turn)
            {
                return turn == Turn.Free;
            }
        }
    }

    // With the turn.
    private void GoOn()
    {
        for (int reads = 1; ; reads++)
        {
            Step step = Receive();
            if (step == Step.Left || ((step == Step.Empty || reads >= ReadsMax) && TryRest()))
            {
                return;
            }
        }
    }

    // Gives the turn back. False: the socket was closed since it was taken, which a further read will see.
    private bool TryRest()
    {
        if (Interlocked.CompareExchange(ref _turn, Turn.Free, Turn.Taken) != Turn.Taken)
        {
            Volatile.Write(ref _turn, Turn.Taken);
            return false;
        }

        try
        {
            _loops.WatchAgain(_socket, _number);
        }
        catch (ObjectDisposedException)
        {
            // Who closes a socket ends its intake then.
        }
        catch (IOException)
        {
            if (TryTake())
            {
                Over(IntakeEnd.Failed, Marshal.GetLastPInvokeError());
            }
        }

        return true;
    }

    private enum Step
    {
        /// <summary>The socket has no more for now.</summary>
        Empty,

        /// <summary>The socket may have more.</summary>
        More,

        /// <summary>The input is over; or the pipe is full, and who makes room goes on.</summary>
        Left,
    }

    private Step Receive()
    {
        bool isDirect = _comesMuch && (_isTold || Read(Scratch, 1, DoNotWait | Peek) == 1);
        _isTold = false;
        Span<byte> room = isDirect ? _pipe.GetSpan() : Scratch;
        int bytes = Read(room, room.Length, DoNotWait);
        if (bytes <= 0)
        {
            return Nothing(bytes == 0 ? 0 : Marshal.GetLastPInvokeError());
        }

        _comesMuch = bytes >= MuchBytes;
        _wasFull = bytes == room.Length;
        if (isDirect)
        {
            _pipe.Advance(bytes);
        }
        else
        {
            _pipe.Write(room[..bytes]);
        }

        ValueTask<FlushResult> flush = _pipe.FlushAsync();
        if (flush.IsCompleted)
        {
            return After(flush.Result);
        }

        _flush = flush;
        flush.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_onFlushed);
        return Step.Left;
    }

    private Step Nothing(int error)
    {
        if (error == WouldBlock)
        {
            _comesMuch = false;
            return Step.Empty;
        }

        return Over(
            error == 0 ? IntakeEnd.PeerFinished : error == BadDescriptor ? IntakeEnd.Closed : IntakeEnd.Failed, error);
    }

    // The pipe has room again, on the thread of its reader.
    private void OnFlushed()
    {
        Step step = After(_flush.Result);
        if (step == Step.More || (step == Step.Empty && !TryRest()))
        {
            GoOn();
        }
    }

    private Step After(in FlushResult flushed) =>
        flushed.IsCompleted || flushed.IsCanceled ? Over(IntakeEnd.Closed, 0)
        : _wasFull ? Step.More
        : Step.Empty;

    // The turn stays taken for ever.
    private Step Over(IntakeEnd end, int error)
    {
        _loops.Remove(_number);
        _onEnd(end, error);
        return Step.Left;
    }

    private int Read(Span<byte> room, int count, int flags)
    {
        while (true)
        {
            try
            {
                nint bytes = Receive(_socket, room, (nuint)count, flags);
                if (bytes >= 0 || Marshal.GetLastPInvokeError() != Interrupted)
                {
                    return (int)bytes;
                }
            }
            catch (ObjectDisposedException)
            {
                Marshal.SetLastPInvokeError(BadDescriptor);
                return -1;
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, Span<byte> room, nuint count, int flags);
}
