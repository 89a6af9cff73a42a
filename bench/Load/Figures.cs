namespace Pillarbox.Load;

/// <summary>Named figures of one measurement; the same names for every peer.</summary>
internal static class Figure
{
    public const string Rate = "messagesPerSecond";
    public const string ServerCpuUs = "serverCpuUs";
    public const string ClientCpuUs = "clientCpuUs";
    public const string AllocatedBytes = "allocatedBytes";
    public const string ResidentMiB = "residentMiB";
    public const string AckP50Us = "ackP50Us";
    public const string AckP99Us = "ackP99Us";
    public const string AckP999Us = "ackP999Us";
    public const string AckMaxUs = "ackMaxUs";
    public const string DeliveredP50Us = "deliveredP50Us";
    public const string DeliveredP99Us = "deliveredP99Us";
    public const string DiskP50Us = "fdatasyncP50Us";
    public const string DiskP99Us = "fdatasyncP99Us";
    public const string PauseMostMs = "gcPauseMostMsInASecond";
    public const string PauseTotalMs = "gcPauseMs";
    public const string ReadyMs = "readyMs";
    public const string IdleConnectionKiB = "idleConnectionKiB";
    public const string IdleConnections = "idleConnections";
    public const string IdleSubscriptionBytes = "idleSubscriptionBytes";
}

/// <summary>The medians of all runs of one row, by peer.</summary>
internal sealed class RowResult
{
    private readonly Dictionary<string, List<Dictionary<string, double>>> _runs = [];

    public IEnumerable<string> Peers => _runs.Keys;

    /// <summary>Runs that failed, by peer; they are in no median.</summary>
    public Dictionary<string, int> Failures { get; } = [];

    public void AddFailure(string peer) => Failures[peer] = Failures.GetValueOrDefault(peer) + 1;

    public void Add(string peer, Dictionary<string, double> figures)
    {
        if (!_runs.TryGetValue(peer, out List<Dictionary<string, double>>? runs))
        {
            _runs[peer] = runs = [];
        }
        runs.Add(figures);
    }

    public int RunsOf(string peer) => _runs.TryGetValue(peer, out var runs) ? runs.Count : 0;

    /// <summary>The median of a figure over all runs; not a number when it was not measured.</summary>
    public double Median(string peer, string figure)
    {
        double[] values = _runs.TryGetValue(peer, out var runs)
            ? [.. runs.Where(r => r.ContainsKey(figure)).Select(r => r[figure]).Order()]
            : [];
        return values.Length == 0 ? double.NaN : values[values.Length / 2];
    }

    /// <summary>All runs of a figure, in order.</summary>
    public double[] All(string peer, string figure) => _runs.TryGetValue(peer, out var runs)
        ? [.. runs.Where(r => r.ContainsKey(figure)).Select(r => r[figure])]
        : [];

    public IEnumerable<string> FiguresOf(string peer) =>
        _runs.TryGetValue(peer, out var runs) ? runs.SelectMany(r => r.Keys).Distinct() : [];

    /// <summary>How many times the rate of RabbitMQ, whichever of its plugins was measured.</summary>
    public double RatioToRabbitMq(string peer) =>
        Ratio(peer, _runs.Keys.FirstOrDefault(p => p.StartsWith("rabbitmq", StringComparison.Ordinal), "rabbitmq"));

    /// <summary>How many times the rate of another peer.</summary>
    public double Ratio(string peer, string other) => Median(peer, Figure.Rate) / Median(other, Figure.Rate);
}

/// <summary>What a row is to reach: a name, the value found, and the bound.</summary>
internal sealed record Goal(string Text, Func<RowResult, double> Value, double Bound, bool AtLeast)
{
    public static Goal RatioToRabbitMq(double least) =>
        new($"at least {least}x RabbitMQ", r => r.RatioToRabbitMq("pillarbox"), least, true);

    public static Goal RatioTo(string peer, string title, double least) =>
        new($"at least {least}x {title}", r => r.Ratio("pillarbox", peer), least, true);

    public static Goal AtMost(string text, string figure, double most) =>
        new(text, r => r.Median("pillarbox", figure), most, false);

    /// <summary>A rate, or a client that cannot do more: then its share of a core is the bound. The value is how much
    /// of the nearer of the two is reached.</summary>
    public static Goal RateOrBusyClient(double rate, double busyCores = 0.9) => new(
        string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"at least {rate:N0} records/s, or a client that is busy for {busyCores:0%} of a core"),
        r => Math.Max(
            r.Median("pillarbox", Figure.Rate) / rate,
            r.Median("pillarbox", Figure.Rate) * r.Median("pillarbox", Figure.ClientCpuUs) / 1e6 / busyCores),
        1, true);

    public string Judge(RowResult result)
    {
        double value = Value(result);
        string verdict = double.IsNaN(value) ? "not measured"
            : (AtLeast ? value >= Bound : value <= Bound) ? $"reached ({value:0.##})" : $"missed ({value:0.##})";
        return $"{Text}: {verdict}";
    }
}
