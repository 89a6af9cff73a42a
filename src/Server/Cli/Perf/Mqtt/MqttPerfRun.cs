namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>One measurement of an MQTT server: connects, warms up, measures, drains, and sums up.</summary>
internal sealed class MqttPerfRun(MqttPerfOptions options)
{
    private const int IdleInputBytes = 64;
    private readonly PerfSchedule _schedule = new(options.WarmUpSeconds, options.DurationSeconds);
    private readonly List<MqttLink> _idle = [];

    /// <summary>Throws <see cref="CommandException"/> when the measurement is not possible.</summary>
    public async Task<MqttPerfReport> RunAsync(CancellationToken cancellation)
    {
        var measurement = new PerfMeasurement(_schedule, options.ServerPid);
        long? idleBytes = ConnectIdle();
        MqttPerfSubscriber[] subscribers =
            [.. Enumerable.Range(0, options.Subscribers).Select(i => new MqttPerfSubscriber(options, _schedule, i))];
        MqttPerfPublisher[] publishers =
            [.. Enumerable.Range(0, options.Publishers).Select(i => new MqttPerfPublisher(options, _schedule, i))];
        _schedule.Begin();
        MqttPerfWorker[] workers =
            [new MqttPerfWorker(subscribers, _schedule), new MqttPerfWorker(publishers, _schedule)];
        Array.ForEach(workers, worker => worker.Start());
        await measurement.UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = measurement.Cpu();
        await measurement.UntilAsync(_schedule.MeasureTo, cancellation);
        (double? Server, double Client) after = measurement.Cpu();
        // At every subscriber, and answered.
        await measurement.DrainAsync(
            () => _schedule.Received >= _schedule.Sent * options.Subscribers
                && Array.TrueForAll(publishers, p => p.IsQuiet),
            cancellation);
        _schedule.Stop();
        Array.ForEach(workers, worker => worker.Join());
        measurement.ThrowIfFailed();
        MqttPerfReport report = Report(publishers, subscribers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
            ServerResidentBytesMax = measurement.ServerResidentBytesMax,
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
}
