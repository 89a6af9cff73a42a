#pragma warning disable RS0030 // reason: a load generator has threads of its own, the broker has not
using Pillarbox.Protocols.Kafka.Client;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>One measurement of a Kafka server: makes the topic, warms up, measures, drains, and sums up.</summary>
internal sealed class KafkaPerfRun(KafkaPerfOptions options)
{
    private const double DrainSecondsMax = 10;
    private const short TopicAlreadyExists = 36;
    private const double UntilDoneSeconds = 24 * 3600;
    private const long ProgressNanosecondsMax = 30_000_000_000;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);
    private readonly PerfSchedule _schedule = new(
        options.WarmUpSeconds, options.Fill + options.Drain > 0 ? UntilDoneSeconds : options.DurationSeconds);

    private long _residentBytesMax;

    /// <summary>Throws <see cref="CommandException"/> when the measurement is not possible.</summary>
    public async Task<KafkaPerfReport> RunAsync(CancellationToken cancellation)
    {
        MakeTopic();
        KafkaPerfConsumer[] consumers =
            [.. Enumerable.Range(0, options.Consumers).Select(i => new KafkaPerfConsumer(options, _schedule, i))];
        KafkaPerfProducer[] producers =
            [.. Enumerable.Range(0, options.Producers).Select(i => new KafkaPerfProducer(options, _schedule, i))];
        _schedule.Begin();
        Thread[] threads = [.. consumers.Select(c => Start(c.Run)), .. producers.Select(p => Start(p.Run))];
        await UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = Cpu();
        double seconds = options.DurationSeconds;
        if (options.Fill > 0 || options.Drain > 0)
        {
            seconds = await UntilDoneAsync(threads, cancellation);
        }
        else
        {
            await UntilAsync(_schedule.MeasureTo, cancellation);
        }

        (double? Server, double Client) after = Cpu();
        await DrainAsync(cancellation);
        _schedule.Stop();
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        ThrowIfFailed();
        KafkaPerfReport report = KafkaPerfReport.Of(
            options with { DurationSeconds = seconds }, _schedule, producers, consumers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
            ServerResidentBytesMax = options.ServerPid is null ? null : _residentBytesMax,
        };
        Array.ForEach(producers, p => p.Dispose());
        Array.ForEach(consumers, c => c.Dispose());
        return report;
    }

    /// <summary>Throws when the server refuses.</summary>
    public static void Check(short error, string what)
    {
        if (error != 0)
        {
            throw new CommandException(ExitCode.Failed, $"the server refuses {what} with error {error}");
        }
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

    private void MakeTopic()
    {
        using var link = new KafkaLink(options, "perf");
        link.Frames.WriteCreateTopic(link.Output, 0, options.Topic, options.Partitions);
        short error = KafkaFrames.ReadCreateTopic(link.WaitForAnswer());
        Check(error == TopicAlreadyExists ? (short)0 : error, "CreateTopics");
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

    // By number instead of time; returns the seconds that it took.
    private async Task<double> UntilDoneAsync(Thread[] threads, CancellationToken cancellation)
    {
        (long Count, long At) progress = (0, Clock.Now);
        bool IsDone() => options.Fill > 0
            ? threads.All(thread => !thread.IsAlive)
            : _schedule.Received >= options.Drain * options.Consumers;
        while (!IsDone() && !_schedule.IsStopped)
        {
            await UntilAsync(Clock.Now + (long)LookEvery.TotalNanoseconds, cancellation);
            long count = _schedule.Sent + _schedule.Received;
            progress = count > progress.Count ? (count, Clock.Now) : progress;
            if (Clock.Now - progress.At > ProgressNanosecondsMax)
            {
                throw new CommandException(ExitCode.Timeout, $"nothing more came after {count} records");
            }
        }

        ThrowIfFailed();
        return (Clock.Now - _schedule.MeasureFrom) / 1e9;
    }

    // What was sent has to arrive, at every consumer.
    private async Task DrainAsync(CancellationToken cancellation)
    {
        long end = Clock.Now + (long)(DrainSecondsMax * 1e9);
        while (Clock.Now < end && !_schedule.IsStopped && options.Producers > 0
            && _schedule.Received < _schedule.Sent * options.Consumers)
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
