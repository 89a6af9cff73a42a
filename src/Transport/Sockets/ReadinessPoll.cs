using System.Runtime.InteropServices;

namespace Pillarbox.Transport.Sockets;

/// <summary>
/// The system's list of sockets that have something to read (Linux: epoll). Many threads wait at it at once; each event
/// goes to one of them, the one that has waited for the shortest time, and is the socket's last until somebody asks for
/// the next: while one thread reads, what comes wakes no other. Lives as long as the process.
/// </summary>
internal sealed unsafe partial class ReadinessPoll
{
    /// <summary>No socket: somebody called.</summary>
    public const long Called = 0;

    /// <summary>Neither a socket nor a call.</summary>
    public const long Nothing = -1;

    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC, EFD_CLOEXEC
    private const int NonBlocking = 0x800; // EFD_NONBLOCK
    private const int Add = 1; // EPOLL_CTL_ADD
    private const int Change = 3; // EPOLL_CTL_MOD
    private const uint Readable = 0x1; // EPOLLIN
    private const uint PeerHungUp = 0x2000; // EPOLLRDHUP
    private const uint Once = 1u << 30; // EPOLLONESHOT
    private const uint Edge = 1u << 31; // EPOLLET
    private const int Interrupted = 4; // EINTR
    private const int EventBytesMax = 16;

    // The structure has no padding on x64, for the sake of 32-bit programs; elsewhere it has.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private readonly int _descriptor;
    private readonly int _calls;

    /// <exception cref="IOException">The system gives no more descriptors.</exception>
    public ReadinessPoll()
    {
        _descriptor = Create(CloseOnExec);
        _calls = _descriptor < 0 ? -1 : CreateCounter(0, CloseOnExec | NonBlocking);
        byte* what = stackalloc byte[EventBytesMax];
        Fill(what, Readable | Edge, Called);
        if (_calls < 0 || Control(_descriptor, Add, _calls, what) != 0)
        {
            throw Refused("a list of sockets");
        }
    }

    /// <summary>Lets one that waits, or the next that will wait, return with <see cref="Called"/>. Several calls may be
    /// heard as one. Any thread.</summary>
    public void Call()
    {
        ulong one = 1;
        // It cannot fail but by the count of calls being full, which has been heard then.
        Write(_calls, &one, sizeof(ulong));
    }

    /// <summary>Tells once, under this number, that the socket can be read, or has ended, or failed; also when that is
    /// so already. Nothing is told any more when the socket is closed. Any thread.</summary>
    /// <exception cref="IOException">The system refused.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void Watch(SafeHandle socket, long number) => Control(Add, socket, number);

    /// <summary>The same for a socket that is watched.</summary>
    /// <inheritdoc cref="Watch"/>
    public void WatchAgain(SafeHandle socket, long number) => Control(Change, socket, number);

    /// <summary>Waits for a socket, or a call; returns the socket's number, <see cref="Called"/>, or
    /// <see cref="Nothing"/> when it should only look.</summary>
    /// <exception cref="IOException">The system refused, which it does not.</exception>
    public long Wait(bool looksOnly)
    {
        byte* what = stackalloc byte[EventBytesMax];
        while (true)
        {
            int count = Wait(_descriptor, what, 1, looksOnly ? 0 : -1);
            if (count == 1)
            {
                return Marshal.ReadInt64((nint)what, DataOffset);
            }

            if (count == 0)
            {
                return Nothing;
            }

            if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Refused("waiting for sockets");
            }
        }
    }

    private void Control(int change, SafeHandle socket, long number)
    {
        byte* what = stackalloc byte[EventBytesMax];
        Fill(what, Readable | PeerHungUp | Once, number);
        if (Control(_descriptor, change, socket, what) != 0)
        {
            throw Refused("watching a socket");
        }
    }

    private static void Fill(byte* what, uint events, long number)
    {
        *(uint*)what = events;
        Marshal.WriteInt64((nint)what, DataOffset, number);
    }

    private static IOException Refused(string what) =>
        new($"{what} is refused with error {Marshal.GetLastPInvokeError()}");

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int poll, int change, SafeHandle socket, byte* what);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int poll, int change, int descriptor, byte* what);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int CreateCounter(uint count, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, ulong* value, nuint count);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int Wait(int poll, byte* events, int eventsMax, int timeoutMs);
}
