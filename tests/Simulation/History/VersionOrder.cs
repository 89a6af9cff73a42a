namespace Pillarbox.Simulation.Tests.History;

/// <summary>What stands at which offset of each partition, as far as anybody was told.</summary>
internal sealed class VersionOrder
{
    private readonly Dictionary<string, SortedDictionary<long, string>> _values = [];
    private readonly Dictionary<string, Dictionary<string, long>> _offsets = [];
    private readonly Dictionary<string, long[]> _visible = [];
    private readonly HashSet<(string Partition, string Value)> _seen = [];

    public VersionOrder(StreamHistory history, Action<AnomalyKind, string> report)
    {
        Sent = [];
        foreach (Sent sent in history.Units.SelectMany(unit => unit.Sent))
        {
            Sent[(sent.Partition, sent.Value)] = sent;
            if (sent.Outcome == Outcome.Good && sent.Offset >= 0)
            {
                Note(sent.Partition, sent.Offset, sent.Value, $"{sent.Unit} was told", report);
            }
        }

        foreach (ReaderLife life in history.Lives)
        {
            foreach (Polled polled in life.All)
            {
                Note(polled.Partition, polled.Offset, polled.Value, $"{life.Reader} read", report);
                if (life.IsCommitted)
                {
                    _seen.Add((polled.Partition, polled.Value));
                }
            }
        }

        foreach ((string partition, SortedDictionary<long, string> values) in _values)
        {
            _visible[partition] =
                [.. values.Where(pair => IsVisible(partition, pair.Value)).Select(pair => pair.Key)];
        }
    }

    /// <summary>All that was sent, by partition and value.</summary>
    public Dictionary<(string Partition, string Value), Sent> Sent { get; }

    public IEnumerable<string> Partitions => _values.Keys;

    /// <summary>Values by offset.</summary>
    public IEnumerable<KeyValuePair<long, string>> Of(string partition) => _values.GetValueOrDefault(partition) ?? [];

    /// <summary>Where a value stands; -1 = nobody knows.</summary>
    public long OffsetOf(string partition, string value) =>
        _offsets.TryGetValue(partition, out Dictionary<string, long>? offsets)
            ? offsets.GetValueOrDefault(value, -1)
            : -1;

    /// <summary>Whether a committed reader saw it.</summary>
    public bool IsSeen(string partition, string value) => _seen.Contains((partition, value));

    /// <summary>The first offset between two that holds something to be seen; -1 = none does.</summary>
    public long FirstVisibleBetween(string partition, long from, long to)
    {
        long[] visible = _visible.GetValueOrDefault(partition) ?? [];
        int at = Array.BinarySearch(visible, from + 1);
        at = at < 0 ? ~at : at;
        return at < visible.Length && visible[at] < to ? visible[at] : -1;
    }

    private bool IsVisible(string partition, string value) =>
        IsSeen(partition, value) || (Sent.TryGetValue((partition, value), out Sent? sent) && sent.MustBe);

    private void Note(string partition, long offset, string value, string who, Action<AnomalyKind, string> report)
    {
        if (!_values.TryGetValue(partition, out SortedDictionary<long, string>? values))
        {
            _values[partition] = values = [];
            _offsets[partition] = [];
        }

        if (values.TryGetValue(offset, out string? known))
        {
            if (known != value)
            {
                report(AnomalyKind.InconsistentOffsets, $"{partition} {offset} is {known}, but {who} {value}");
            }

            return;
        }

        values[offset] = value;
        if (!_offsets[partition].TryAdd(value, offset))
        {
            report(AnomalyKind.Duplicate, $"{partition} has {value} at {_offsets[partition][value]} and at {offset}");
        }
    }
}
