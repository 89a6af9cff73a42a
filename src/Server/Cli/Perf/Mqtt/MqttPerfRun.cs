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
        (long? idleBytes, long? subscriptionBytes) = ConnectIdle();
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
            IdleSubscriptionBytes = subscriptionBytes,
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

    // What each connection adds with its first subscription, and what each further subscription adds.
    private (long? Connection, long? Subscription) ConnectIdle()
    {
        long? before = ServerBytes();
        for (int i = 0; i < options.Idle; i++)
        {
            _idle.Add(new MqttLink(options, $"perf-idle-{i}", clean: true, IdleInputBytes));
            SubscribeIdle(i, 0, 1);
        }

        long? connected = ServerBytes();
        for (int i = 0; i < options.Idle; i++)
        {
            SubscribeIdle(i, 1, options.IdleSubscriptions);
        }

        long further = (long)options.Idle * Math.Max(0, options.IdleSubscriptions - 1);
        return (
            options.Idle > 0 ? (connected - before) / options.Idle : null,
            further > 0 ? (ServerBytes() - connected) / further : null);
    }

    private long? ServerBytes() => options.ServerPid is { } pid ? ProcessUsage.ResidentBytes(pid) : null;

    private void SubscribeIdle(int connection, int from, int to)
    {
        for (int j = from; j < Math.Min(to, options.IdleSubscriptions); j++)
        {
            // Half of them have a wildcard; all are below the level that messages begin with.
            _idle[connection].Subscribe($"{options.Topic}/idle/{connection}/{j}{(j % 2 == 0 ? "" : "/+")}", 0);
        }
    }
}
