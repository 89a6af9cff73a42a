namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>The phases of a measurement and its sums. Any thread; times in nanoseconds of <see
/// cref="Clock"/>.</summary>
internal sealed class KafkaPerfSchedule(KafkaPerfOptions options)
{
    private long _sent;
    private long _received;
    private volatile bool _stopped;

    public long Start { get; private set; }

    public long MeasureFrom { get; private set; }

    public long MeasureTo { get; private set; }

    public long Sent => Interlocked.Read(ref _sent);

    public long Received => Interlocked.Read(ref _received);

    public bool IsStopped => _stopped;

    public Exception? Failure { get; private set; }

    public void Begin()
    {
        Start = Clock.Now;
        MeasureFrom = Start + (long)(options.WarmUpSeconds * 1e9);
        MeasureTo = MeasureFrom + (long)(options.DurationSeconds * 1e9);
    }

    public bool IsMeasured(long now) => now >= MeasureFrom && now < MeasureTo;

    public void AddSent(long count) => Interlocked.Add(ref _sent, count);

    public void AddReceived(long count) => Interlocked.Add(ref _received, count);

    public void Stop() => _stopped = true;

    public void Fail(Exception failure)
    {
        Failure ??= failure;
        _stopped = true;
    }
}
