#pragma warning disable RS0030 // reason: a load generator has threads of its own, the broker has not
namespace Pillarbox.Server.Cli.Perf;

/// <summary>What every measurement does around its senders and receivers: threads that tell of their end, waiting for
/// the moments of the schedule, and the figures of both processes.</summary>
internal sealed class PerfMeasurement(PerfSchedule schedule, int? serverPid)
{
    private const double DrainSecondsMax = 10;
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);
    private readonly List<Thread> _threads = [];
    private long _residentBytesMax;

    /// <summary>The most memory that the server was seen to have; null: nobody said which process it is.</summary>
    public long? ServerResidentBytesMax => serverPid is null ? null : _residentBytesMax;

    /// <summary>The server's memory now; null: nobody said which process it is.</summary>
    public long? ServerResidentBytes => serverPid is { } pid ? ProcessUsage.ResidentBytes(pid) : null;

    /// <summary>Seconds of processor time so far.</summary>
    public (double? Server, double Client) Cpu() => (
        serverPid is { } pid ? ProcessUsage.CpuSeconds(pid) : null,
        Environment.CpuUsage.TotalTime.TotalSeconds);

    /// <summary>All that was started has come to its end.</summary>
    public bool HasEnded => _threads.TrueForAll(thread => !thread.IsAlive);

    /// <summary>Runs on a thread of its own; what goes wrong there ends the measurement.</summary>
    public void Start(Action run)
    {
        var thread = new Thread(() => Guard(run)) { IsBackground = true };
        _threads.Add(thread);
        thread.Start();
    }

    /// <summary>Waits until all that was started has come to its end.</summary>
    public void Join() => _threads.ForEach(thread => thread.Join());

    /// <summary>Waits for a moment of the clock and looks at the server's memory meanwhile. Throws <see
    /// cref="CommandException"/> when the measurement has failed.</summary>
    public async Task UntilAsync(long time, CancellationToken cancellation)
    {
        while (Clock.Now < time && !schedule.IsStopped)
        {
            TimeSpan left = TimeSpan.FromMicroseconds((time - Clock.Now) / 1000.0);
            TimeSpan wait = left < SampleEvery && left > TimeSpan.Zero ? left : SampleEvery;
            await Task.Delay(wait, TimeProvider.System, cancellation);
            _residentBytesMax = Math.Max(_residentBytesMax, ServerResidentBytes ?? 0);
        }

        ThrowIfFailed();
    }

    /// <summary>Waits until the senders have ended and what they sent is there: the end of a measurement is no excuse.
    /// Not for ever.</summary>
    public async Task DrainAsync(Func<bool> isThere, CancellationToken cancellation)
    {
        long end = Clock.Now + (long)(DrainSecondsMax * 1e9);
        while (Clock.Now < end && !schedule.IsStopped && !(schedule.IsSendingOver && isThere()))
        {
            await Task.Delay(SampleEvery, TimeProvider.System, cancellation);
        }
    }

    /// <summary>Throws <see cref="CommandException"/> when something went wrong.</summary>
    public void ThrowIfFailed()
    {
        if (schedule.Failure is { } failure)
        {
            throw failure is CommandException
                ? failure
                : new CommandException(ExitCode.Failed, $"the measurement failed: {failure.Message}");
        }
    }

    private void Guard(Action run)
    {
        try
        {
            run();
        }
        catch (Exception e)
        {
            schedule.Fail(e);
        }
    }
}
