using Pillarbox.Protocols.Kafka.Client;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>One measurement of a Kafka server: makes the topic, warms up, measures, drains, and sums up.</summary>
internal sealed class KafkaPerfRun(KafkaPerfOptions options)
{
    private const short TopicAlreadyExists = 36;
    private const double UntilDoneSeconds = 24 * 3600;
    private const long ProgressNanosecondsMax = 30_000_000_000;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);
    private readonly PerfSchedule _schedule = new(
        options.WarmUpSeconds, options.Fill + options.Drain > 0 ? UntilDoneSeconds : options.DurationSeconds);

    /// <summary>Throws <see cref="CommandException"/> when the measurement is not possible.</summary>
    public async Task<KafkaPerfReport> RunAsync(CancellationToken cancellation)
    {
        MakeTopic();
        var measurement = new PerfMeasurement(_schedule, options.ServerPid);
        KafkaPerfConsumer[] consumers =
            [.. Enumerable.Range(0, options.Consumers).Select(i => new KafkaPerfConsumer(options, _schedule, i))];
        KafkaPerfProducer[] producers =
            [.. Enumerable.Range(0, options.Producers).Select(i => new KafkaPerfProducer(options, _schedule, i))];
        _schedule.Begin();
        Array.ForEach(consumers, consumer => measurement.Start(consumer.Run));
        Array.ForEach(producers, producer => measurement.Start(producer.Run));
        await measurement.UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = measurement.Cpu();
        double seconds = options.DurationSeconds;
        if (options.Fill > 0 || options.Drain > 0)
        {
            seconds = await UntilDoneAsync(measurement, cancellation);
        }
        else
        {
            await measurement.UntilAsync(_schedule.MeasureTo, cancellation);
        }

        (double? Server, double Client) after = measurement.Cpu();
        // At every consumer.
        await measurement.DrainAsync(
            () => options.Producers == 0 || _schedule.Received >= _schedule.Sent * options.Consumers, cancellation);
        _schedule.Stop();
        measurement.Join();
        measurement.ThrowIfFailed();
        KafkaPerfReport report = KafkaPerfReport.Of(
            options with { DurationSeconds = seconds }, _schedule, producers, consumers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
            ServerResidentBytesMax = measurement.ServerResidentBytesMax,
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

    private void MakeTopic()
    {
        using var link = new KafkaLink(options, "perf");
        link.Frames.WriteCreateTopic(link.Output, 0, options.Topic, options.Partitions);
        short error = KafkaFrames.ReadCreateTopic(link.WaitForAnswer());
        Check(error == TopicAlreadyExists ? (short)0 : error, "CreateTopics");
    }

    // By number instead of time; returns the seconds that it took.
    private async Task<double> UntilDoneAsync(PerfMeasurement measurement, CancellationToken cancellation)
    {
        (long Count, long At) progress = (0, Clock.Now);
        bool IsDone() => options.Fill > 0
            ? measurement.HasEnded
            : _schedule.Received >= options.Drain * options.Consumers;
        while (!IsDone() && !_schedule.IsStopped)
        {
            await measurement.UntilAsync(Clock.Now + (long)LookEvery.TotalNanoseconds, cancellation);
            long count = _schedule.Sent + _schedule.Received;
            progress = count > progress.Count ? (count, Clock.Now) : progress;
            if (Clock.Now - progress.At > ProgressNanosecondsMax)
            {
                throw new CommandException(ExitCode.Timeout, $"nothing more came after {count} records");
            }
        }

        measurement.ThrowIfFailed();
        return (Clock.Now - _schedule.MeasureFrom) / 1e9;
    }
}
