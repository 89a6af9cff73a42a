#pragma warning disable RS0030 // reason: a load generator has threads of its own, the broker has not
namespace Pillarbox.Server.Cli.Perf.Messaging;

/// <summary>One measurement of a server of queues and topics: connects, warms up, measures, drains, and sums
/// up.</summary>
internal sealed class MessagingPerfRun(
    MessagingPerfOptions options, Func<PerfSchedule, int, IMessagingReceiver> receiver,
    Func<PerfSchedule, int, IMessagingSender> sender)
{
    private const double DrainSecondsMax = 10;
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);
    private readonly PerfSchedule _schedule = new(options.WarmUpSeconds, options.DurationSeconds);
    private long _residentBytesMax;

    /// <summary>Throws <see cref="CommandException"/> when the measurement is not possible.</summary>
    public async Task<MessagingPerfReport> RunAsync(CancellationToken cancellation)
    {
        IMessagingReceiver[] receivers =
            [.. Enumerable.Range(0, options.Receivers).Select(i => receiver(_schedule, i))];
        IMessagingSender[] senders = [.. Enumerable.Range(0, options.Senders).Select(i => sender(_schedule, i))];
        _schedule.Begin();
        Thread[] threads = [.. receivers.Select(r => Start(r.Run)), .. senders.Select(s => Start(s.Run))];
        await UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = Cpu();
        await UntilAsync(_schedule.MeasureTo, cancellation);
        (double? Server, double Client) after = Cpu();
        await DrainAsync(cancellation);
        _schedule.Stop();
        Array.ForEach(threads, t => t.Join());
        ThrowIfFailed();
        MessagingPerfReport report = MessagingPerfReport.Of(options, _schedule, senders, receivers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
            ServerResidentBytesMax = options.ServerPid is null ? null : _residentBytesMax,
        };
        Array.ForEach(senders, s => s.Dispose());
        Array.ForEach(receivers, r => r.Dispose());
        return report;
    }

    private Thread Start(Action run)
    {
        var thread = new Thread(() => Guard(run)) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private void Guard(Action run)
    {
        try
        {
            run();
        }
        catch (Exception e)
        {
            _schedule.Fail(e);
        }
    }

    private async Task UntilAsync(long time, CancellationToken cancellation)
    {
        while (Clock.Now < time && !_schedule.IsStopped)
        {
            TimeSpan left = TimeSpan.FromMicroseconds((time - Clock.Now) / 1000.0);
            TimeSpan wait = left < SampleEvery && left > TimeSpan.Zero ? left : SampleEvery;
            await Task.Delay(wait, TimeProvider.System, cancellation);
            if (options.ServerPid is { } pid)
            {
                _residentBytesMax = Math.Max(_residentBytesMax, ProcessUsage.ResidentBytes(pid) ?? 0);
            }
        }

        ThrowIfFailed();
    }

    // What was sent has to arrive: once, or at every subscriber of a topic.
    private async Task DrainAsync(CancellationToken cancellation)
    {
        long end = Clock.Now + (long)(DrainSecondsMax * 1e9);
        int times = options.FanOut ? options.Receivers : Math.Min(1, options.Receivers);
        while (Clock.Now < end && !_schedule.IsStopped && _schedule.Received < _schedule.Sent * times)
        {
            await Task.Delay(SampleEvery, TimeProvider.System, cancellation);
        }
    }

    private (double? Server, double Client) Cpu() => (
        options.ServerPid is { } pid ? ProcessUsage.CpuSeconds(pid) : null,
        Environment.CpuUsage.TotalTime.TotalSeconds);

    private void ThrowIfFailed()
    {
        if (_schedule.Failure is { } failure)
        {
            throw failure is CommandException
                ? failure
                : new CommandException(ExitCode.Failed, $"the measurement failed: {failure.Message}");
        }
    }
}
