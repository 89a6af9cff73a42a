#pragma warning disable RS0030 // reason: a load generator has threads of its own, the broker has not
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>A thread that drives several connections: work, send, wait for any of them, read.</summary>
internal sealed class MqttPerfWorker
{
    private const long WaitNanosecondsMax = 20_000_000;
    private const long BusyWaitNanoseconds = 50_000;
    private readonly IMqttPerfRole[] _roles;
    private readonly PerfSchedule _schedule;
    private readonly SocketPoll _poll = new();
    private readonly Thread _thread;

    public MqttPerfWorker(IEnumerable<IMqttPerfRole> roles, PerfSchedule schedule)
    {
        _roles = [.. roles];
        _schedule = schedule;
        _thread = new Thread(Run) { IsBackground = true };
    }

    public void Start() => _thread.Start();

    public void Join() => _thread.Join();

    /// <summary>Drives them on the caller's thread, until the measurement stops.</summary>
    public void Run()
    {
        try
        {
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
        bool hasMore = false;
        _poll.Clear();
        foreach (IMqttPerfRole role in _roles)
        {
            hasMore |= role.Work(now);
            role.Link.Send();
            _poll.Add(role.Link.Descriptor, role.Link.Unsent > 0);
        }

        _poll.Wait(hasMore ? BusyWaitNanoseconds : WaitNanosecondsMax);
        now = Clock.Now;
        for (int i = 0; i < _roles.Length; i++)
        {
            if (_poll.IsReadable(i))
            {
                _roles[i].Link.Receive();
                _roles[i].Read(now);
            }
        }
    }
}
