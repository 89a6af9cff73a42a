namespace Pillarbox.Server.Cli.Perf.Messaging;

/// <summary>One measurement of a server of queues and topics: connects, warms up, measures, drains, and sums
/// up.</summary>
internal sealed class MessagingPerfRun(
    MessagingPerfOptions options, Func<PerfSchedule, int, IMessagingReceiver> receiver,
    Func<PerfSchedule, int, IMessagingSender> sender)
{
    /// <summary>Throws <see cref="CommandException"/> when the measurement is not possible.</summary>
    public async Task<MessagingPerfReport> RunAsync(CancellationToken cancellation)
    {
        var schedule = new PerfSchedule(options.WarmUpSeconds, options.DurationSeconds);
        var measurement = new PerfMeasurement(schedule, options.ServerPid);
        IMessagingReceiver[] receivers =
            [.. Enumerable.Range(0, options.Receivers).Select(i => receiver(schedule, i))];
        IMessagingSender[] senders = [.. Enumerable.Range(0, options.Senders).Select(i => sender(schedule, i))];
        schedule.Begin();
        Array.ForEach(receivers, receiver => measurement.Start(receiver.Run));
        Array.ForEach(senders, sender => measurement.Start(sender.Run));
        await measurement.UntilAsync(schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = measurement.Cpu();
        await measurement.UntilAsync(schedule.MeasureTo, cancellation);
        (double? Server, double Client) after = measurement.Cpu();
        // What was sent has to arrive: once, or at every subscriber of a topic.
        int times = options.FanOut ? options.Receivers : Math.Min(1, options.Receivers);
        await measurement.DrainAsync(() => schedule.Received >= schedule.Sent * times, cancellation);
        schedule.Stop();
        measurement.Join();
        measurement.ThrowIfFailed();
        MessagingPerfReport report = MessagingPerfReport.Of(options, schedule, senders, receivers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
            ServerResidentBytesMax = measurement.ServerResidentBytesMax,
        };
        Array.ForEach(senders, s => s.Dispose());
        Array.ForEach(receivers, r => r.Dispose());
        return report;
    }
}
