namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>One measurement of an MQTT server: connects, warms up, measures, drains, and sums up.</summary>
internal sealed class MqttPerfRun(MqttPerfOptions options)
{
    private const double DrainSecondsMax = 10;
    private const int IdleInputBytes = 64;
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);
    private readonly PerfSchedule _schedule = new(options.WarmUpSeconds, options.DurationSeconds);
    private readonly List<MqttLink> _idle = [];
    private long _residentBytesMax;

    /// <summary>Throws <see cref="CommandException"/> when the measurement is not possible.</summary>
    public async Task<MqttPerfReport> RunAsync(CancellationToken cancellation)
    {
        long? idleBytes = ConnectIdle();
        MqttPerfSubscriber[] subscribers =
            [.. Enumerable.Range(0, options.Subscribers).Select(i => new MqttPerfSubscriber(options, _schedule, i))];
        MqttPerfPublisher[] publishers =
            [.. Enumerable.Range(0, options.Publishers).Select(i => new MqttPerfPublisher(options, _schedule, i))];
        _schedule.Begin();
        MqttPerfWorker[] workers =
            [new MqttPerfWorker(subscribers, _schedule), new MqttPerfWorker(publishers, _schedule)];
        Array.ForEach(workers, worker => worker.Start());
        await UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = Cpu();
        await UntilAsync(_schedule.MeasureTo, cancellation);
        (double? Server, double Client) after = Cpu();
        await DrainAsync(publishers, cancellation);
        _schedule.Stop();
        Array.ForEach(workers, worker => worker.Join());
        ThrowIfFailed();
        MqttPerfReport report = Report(publishers, subscribers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
            ServerResidentBytesMax = options.ServerPid is null ? null : _residentBytesMax,
            IdleConnectionBytes = idleBytes,
        };
        Array.ForEach(publishers, p => p.Dispose());
        Array.ForEach(subscribers, s => s.Dispose());
        _idle.ForEach(link => link.Dispose());
        return report;
    }

    private MqttPerfReport Report(MqttPerfPublisher[] publishers, MqttPerfSubscriber[] subscribers)
    {
        var (acknowledged, delivered) = (new PerfHistogram(), new PerfHistogram());
        Array.ForEach(publishers, p => acknowledged.Add(p.Acknowledged));
        Array.ForEach(subscribers, s => delivered.Add(s.Delivered));
        return new MqttPerfReport
        {
            Options = options,
            Sent = publishers.Sum(p => p.Sent),
            AcknowledgedAfter = acknowledged,
            DeliveredAfter = delivered,
            Missing = (_schedule.Sent * options.Subscribers) - _schedule.Received,
        };
    }

    private long? ConnectIdle()
    {
        long? before = options.ServerPid is { } pid ? ProcessUsage.ResidentBytes(pid) : null;
        for (int i = 0; i < options.Idle; i++)
        {
            _idle.Add(new MqttLink(options, $"perf-idle-{i}", clean: true, IdleInputBytes));
            for (int j = 0; j < options.IdleSubscriptions; j++)
            {
                // Half of them have a wildcard; all are below the level that messages begin with.
                _idle[^1].Subscribe($"{options.Topic}/idle/{i}/{j}{(j % 2 == 0 ? "" : "/+")}", 0);
            }
        }

        return options.Idle > 0 && before is not null
            ? (ProcessUsage.ResidentBytes(options.ServerPid!.Value) - before) / options.Idle
            : null;
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

    // What was sent has to arrive, at every subscriber, and to be answered.
    private async Task DrainAsync(MqttPerfPublisher[] publishers, CancellationToken cancellation)
    {
        long end = Clock.Now + (long)(DrainSecondsMax * 1e9);
        while (Clock.Now < end && !_schedule.IsStopped
            && (_schedule.Received < _schedule.Sent * options.Subscribers || !publishers.All(p => p.IsQuiet)))
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
