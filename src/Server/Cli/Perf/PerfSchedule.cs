namespace Pillarbox.Server.Cli.Perf;

/// <summary>
/// The phases of a measurement on the clock of <see cref="Clock"/>, set before the workers start: warm-up until
/// <see cref="MeasureFrom"/>, then what counts until <see cref="MeasureTo"/>, then draining.
/// </summary>
internal sealed class PerfSchedule(double warmUpSeconds, double durationSeconds)
{
    private long _sent;
    private long _received;
    private int _sending;
    private volatile bool _stopped;

    public long Start { get; private set; }

    public long MeasureFrom { get; private set; }

    public long MeasureTo { get; private set; }

    /// <summary>Messages sent from the start on, as told by <see cref="AddSent"/>.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Messages received from the start on, as told by <see cref="AddReceived"/>.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Every sender has said that it sends no more: <see cref="Sent"/> is the last word.</summary>
    public bool IsSendingOver => Volatile.Read(ref _sending) == 0;

    /// <summary>Workers end when this is set.</summary>
    public bool IsStopped => _stopped;

    /// <summary>What a worker died of.</summary>
    public Exception? Failure { get; private set; }

    public void Begin()
    {
        Start = Clock.Now;
        MeasureFrom = Start + (long)(warmUpSeconds * 1e9);
        MeasureTo = MeasureFrom + (long)(durationSeconds * 1e9);
    }

    public bool IsMeasured(long now) => now >= MeasureFrom && now < MeasureTo;

    /// <summary>One more sender, before <see cref="Begin"/>.</summary>
    public SendingPhase BeginSending()
    {
        Interlocked.Increment(ref _sending);
        return new SendingPhase(this);
    }

    /// <summary>A sender's last burst is counted.</summary>
    public void EndSending() => Interlocked.Decrement(ref _sending);

    public void AddSent(long count) => Interlocked.Add(ref _sent, count);

    public void AddReceived(long count) => Interlocked.Add(ref _received, count);

    public void Stop() => _stopped = true;

    public void Fail(Exception failure)
    {
        Failure ??= failure;
        _stopped = true;
    }
}
