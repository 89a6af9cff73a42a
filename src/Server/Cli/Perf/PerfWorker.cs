#pragma warning disable RS0030 // reason: a load generator has threads of its own, the broker has not
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>A thread that drives several connections: work, flush, wait for any of them, read.</summary>
internal sealed class PerfWorker
{
    private const long WaitNanosecondsMax = 50_000_000;
    private readonly IPerfRole[] _roles;
    private readonly PerfSchedule _schedule;
    private readonly SocketPoll _poll = new();
    private readonly Thread _thread;

    public PerfWorker(string name, IEnumerable<IPerfRole> roles, PerfSchedule schedule)
    {
        _roles = [.. roles];
        _schedule = schedule;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    public void Start() => _thread.Start();

    public void Join() => _thread.Join();

    /// <summary>Drives them on the caller's thread, until the measurement stops.</summary>
    public void Run()
    {
        try
        {
            SocketPoll.WakeInTime();
            while (!_schedule.IsStopped && _roles.Length > 0)
            {
                Turn();
            }
        }
        catch (Exception e)
        {
            _schedule.Fail(e);
        }
    }

    private void Turn()
    {
        long now = Clock.Now;
        long due = now + WaitNanosecondsMax;
        _poll.Clear();
        foreach (IPerfRole role in _roles)
        {
            long next = role.Work(now);
            role.Client.Flush();
            bool blocked = role.Client.HasUnsent;
            due = blocked ? due : Math.Min(due, next);
            _poll.Add(role.Client.Descriptor, blocked);
        }
        _poll.Wait(Math.Max(0, due - SocketPoll.AwakeNanoseconds - Clock.Now));
        now = Clock.Now;
        for (int i = 0; i < _roles.Length; i++)
        {
            if (_poll.IsReadable(i))
            {
                _roles[i].Read(now);
            }
            _roles[i].Client.ThrowIfOver();
        }
    }
}
