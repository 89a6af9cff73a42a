using System.Collections.Concurrent;

namespace Pillarbox.Broker.Quotas;

/// <summary>How often, and for how long, clients of an address space were held back by one kind of quota.</summary>
public readonly record struct ThrottleView(string AddressSpace, QuotaKind Kind, long Count, long TotalMs);

/// <summary>The quotas of an address space at work. Any thread.</summary>
public sealed class QuotaBook
{
    /// <summary>The most users and clients that are counted at a time; beyond, counting starts afresh.</summary>
    public const int MetersMax = 16_384;

    private readonly ConcurrentDictionary<MeterKey, QuotaMeter> _meters = new();
    private readonly long[] _throttled = new long[QuotaNames.All.Count];
    private readonly long[] _throttledMs = new long[QuotaNames.All.Count];
    private volatile QuotaTable _table = QuotaTable.Empty;

    internal QuotaBook(string addressSpace) => AddressSpace = addressSpace;

    /// <summary>Whose quotas these are.</summary>
    public string AddressSpace { get; }

    /// <summary>Whether nobody has a quota.</summary>
    public bool IsEmpty => _table.IsEmpty;

    internal QuotaTable Table
    {
        get => _table;
        set => _table = value;
    }

    /// <summary>Counts an amount of a kind for a client; returns for how many milliseconds it is to be held back. An
    /// amount is bytes, partitions, or milliseconds of a processor.</summary>
    public int Take(QuotaKind kind, string user, string client, double amount, long nowMs)
    {
        if (_table.Find(kind, user, client) is not { } rule)
        {
            return 0;
        }

        int waitMs = MeterOf(rule).Take(amount, RateOf(kind, rule), nowMs);
        CountWait(kind, waitMs);
        return waitMs;
    }

    /// <summary>Counts an amount if the client owes nothing; false: it does not get it, and may ask again in
    /// <paramref name="waitMs"/>.</summary>
    public bool TryTake(QuotaKind kind, string user, string client, double amount, long nowMs, out int waitMs)
    {
        waitMs = 0;
        if (_table.Find(kind, user, client) is not { } rule)
        {
            return true;
        }

        bool taken = MeterOf(rule).TryTake(amount, RateOf(kind, rule), nowMs, out waitMs);
        CountWait(kind, waitMs);
        return taken;
    }

    /// <summary>The most that a client may take at once without being in debt longer than the window; no more than
    /// <paramref name="most"/>.</summary>
    public int WindowOf(QuotaKind kind, string user, string client, int most) =>
        _table.Find(kind, user, client) is { } rule
            ? (int)Math.Clamp(rule.Rate * QuotaMeter.WindowSeconds, 1, most)
            : most;

    /// <summary>How often clients were held back since start, by kind.</summary>
    public IReadOnlyList<ThrottleView> Throttles() =>
    [
        .. QuotaNames.All.Select(kind => new ThrottleView(
            AddressSpace, kind, Volatile.Read(ref _throttled[(int)kind]), Volatile.Read(ref _throttledMs[(int)kind]))),
    ];

    // A percent of one processor is ten milliseconds a second.
    private static double RateOf(QuotaKind kind, QuotaRule rule) =>
        kind == QuotaKind.RequestPercent ? rule.Rate * 10 : rule.Rate;

    private QuotaMeter MeterOf(QuotaRule rule)
    {
        if (_meters.TryGetValue(rule.Meter, out QuotaMeter? known))
        {
            return known;
        }

        if (_meters.Count >= MetersMax)
        {
            _meters.Clear();
        }

        return _meters.GetOrAdd(rule.Meter, static _ => new QuotaMeter());
    }

    private void CountWait(QuotaKind kind, int waitMs)
    {
        if (waitMs > 0)
        {
            Interlocked.Increment(ref _throttled[(int)kind]);
            Interlocked.Add(ref _throttledMs[(int)kind], waitMs);
        }
    }
}
