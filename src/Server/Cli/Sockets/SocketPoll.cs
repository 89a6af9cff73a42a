using System.Runtime.InteropServices;

namespace Pillarbox.Server.Cli.Sockets;

/// <summary>
/// Waits until one of several sockets can be read or written, or until a time has passed, with the precision of the
/// kernel's timers (ppoll; other systems' poll waits by milliseconds). One thread at a time.
/// </summary>
internal sealed partial class SocketPoll
{
    /// <summary>A processor that sleeps takes about 50 us to wake for a timer. Who has to act at a due time waits so
    /// much less and comes again, awake: then a latency is the server's and not the load generator's own.</summary>
    public const long AwakeNanoseconds = 80_000;

    private const short PollIn = 1;
    private const short PollOut = 4;
    private const short PollErrorBits = 0x8 | 0x10 | 0x20;
    private const int Interrupted = 4;
    private const int TimerSlack = 29;
    private PollEntry[] _entries = new PollEntry[4];
    private int _count;

    /// <summary>Forgets all sockets.</summary>
    public void Clear() => _count = 0;

    /// <summary>Adds a socket; its index is the order of adding.</summary>
    public void Add(int descriptor, bool forWriting)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _count * 2);
        }
        _entries[_count++] = new PollEntry
        {
            Descriptor = descriptor,
            Events = forWriting ? (short)(PollIn | PollOut) : PollIn,
        };
    }

    /// <summary>
    /// Lets the calling thread wake when its time is over, not up to 50 us later, as Linux does to save power. Of other
    /// systems nothing is asked.
    /// </summary>
    /// <exception cref="IOException">The system refused.</exception>
    public static void WakeInTime()
    {
        if (OperatingSystem.IsLinux() && SetOfThread(TimerSlack, 1, 0, 0, 0) != 0)
        {
            throw new IOException($"precise timers are refused with error {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Waits; a negative time means without end, zero means look only. Returns how many are ready.</summary>
    public unsafe int Wait(long timeoutNanoseconds)
    {
        fixed (PollEntry* entries = _entries)
        {
            int ready = OperatingSystem.IsLinux()
                ? WaitPrecisely(entries, timeoutNanoseconds)
                : Poll(entries, (uint)_count, (int)Math.Min(int.MaxValue, (timeoutNanoseconds + 999_999) / 1_000_000));
            if (ready >= 0)
            {
                return ready;
            }
            int error = Marshal.GetLastPInvokeError();
            return error == Interrupted ? 0 : throw new IOException($"waiting for sockets failed with error {error}");
        }
    }

    /// <summary>Whether the socket added at this index can be read, or has ended.</summary>
    public bool IsReadable(int index) => (_entries[index].Returned & (PollIn | PollErrorBits)) != 0;

    private unsafe int WaitPrecisely(PollEntry* entries, long timeoutNanoseconds)
    {
        var time = new TimeSpec
        {
            Seconds = timeoutNanoseconds / 1_000_000_000,
            Nanoseconds = timeoutNanoseconds % 1_000_000_000,
        };
        return PollWithTimeSpec(entries, (nuint)_count, timeoutNanoseconds < 0 ? null : &time, null);
    }

    [LibraryImport("libc", EntryPoint = "ppoll", SetLastError = true)]
    private static unsafe partial int PollWithTimeSpec(PollEntry* entries, nuint count, TimeSpec* timeout, void* mask);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static unsafe partial int Poll(PollEntry* entries, uint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int SetOfThread(int what, nuint nanoseconds, nuint unused3, nuint unused4, nuint unused5);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
