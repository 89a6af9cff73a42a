namespace Pillarbox.Broker.Quotas;

/// <summary>
/// A bucket that fills at the quota's rate, and holds what <see cref="WindowSeconds"/> bring: who was quiet may take
/// that at once. Who takes more is in debt and waits until it is paid. Any thread.
/// </summary>
internal sealed class QuotaMeter
{
    /// <summary>Over so many seconds a rate is kept on average.</summary>
    public const int WindowSeconds = 10;

    /// <summary>The longest wait at once, in milliseconds; what is still owed then counts for the next.</summary>
    public const int ThrottleMsMax = 10_000;

    // Held for a few instructions; users with many connections share one.
    private readonly Lock _gate = new();
    private double _rate;
    private double _left;
    private long _atMs;

    /// <summary>Takes an amount; returns for how many milliseconds to wait before more is taken.</summary>
    public int Take(double amount, double rate, long nowMs)
    {
        lock (_gate)
        {
            Fill(rate, nowMs);
            _left -= amount;
            return WaitMs();
        }
    }

    /// <summary>Takes an amount if nothing is owed; else returns for how many milliseconds to wait.</summary>
    public bool TryTake(double amount, double rate, long nowMs, out int waitMs)
    {
        lock (_gate)
        {
            Fill(rate, nowMs);
            waitMs = WaitMs();
            if (waitMs > 0)
            {
                return false;
            }

            _left -= amount;
            return true;
        }
    }

    private void Fill(double rate, long nowMs)
    {
        double most = rate * WindowSeconds;
        // A new quota starts full; a changed one starts afresh.
        _left = _rate == rate ? Math.Min(most, _left + (rate * Math.Max(0, nowMs - _atMs) / 1000)) : most;
        (_rate, _atMs) = (rate, nowMs);
    }

    private int WaitMs() => _left >= 0 ? 0 : (int)Math.Min(ThrottleMsMax, Math.Ceiling(-_left * 1000 / _rate));
}
