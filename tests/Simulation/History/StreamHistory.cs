namespace Pillarbox.Simulation.Tests.History;

/// <summary>What a client knows of the end of something.</summary>
internal enum Outcome
{
    /// <summary>It may have happened, now or later.</summary>
    Unknown,

    /// <summary>It happened.</summary>
    Good,

    /// <summary>It did not happen.</summary>
    Failed,
}

/// <summary>
/// What the clients of streams did and saw. All values that are sent are different, and all times come from one
/// clock. A partition is named as the history likes it. Filled by whoever runs the clients; judged by
/// <see cref="StreamChecker"/>.
/// </summary>
internal sealed class StreamHistory
{
    private readonly List<Unit> _units = [];
    private readonly List<ReaderLife> _lives = [];
    private readonly List<OffsetCommit> _commits = [];
    private readonly List<OffsetRead> _reads = [];
    private readonly List<Fencing> _fencings = [];
    private readonly Dictionary<string, long> _starts = [];
    private readonly HashSet<string> _compacted = [];
    private readonly HashSet<string> _drainedGroups = [];

    public IReadOnlyList<Unit> Units => _units;

    public IReadOnlyList<ReaderLife> Lives => _lives;

    public IReadOnlyList<OffsetCommit> Commits => _commits;

    public IReadOnlyList<OffsetRead> OffsetReads => _reads;

    public IReadOnlyList<Fencing> Fencings => _fencings;

    /// <summary>Groups that have read everything there is.</summary>
    public IReadOnlySet<string> DrainedGroups => _drainedGroups;

    /// <summary>The reader that has read every partition from its start to its end, after everything; null: there was
    /// none.</summary>
    public ReaderLife? Final { get; set; }

    /// <summary>A transaction begins, or one record is to be sent by itself.</summary>
    public Unit Begin(string process, bool isTransactional, long at, string? producer = null, int epoch = -1)
    {
        var unit = new Unit(_units.Count, process, isTransactional, producer, epoch) { BegunAt = at };
        _units.Add(unit);
        return unit;
    }

    /// <summary>A reader begins, or begins anew: what it reads first may be anywhere.</summary>
    public ReaderLife BeginLife(string reader, bool isCommitted, string? group = null)
    {
        var life = new ReaderLife(reader, isCommitted, group);
        _lives.Add(life);
        return life;
    }

    public OffsetCommit Commit(string group, string partition, long offset, long at, Unit? unit = null)
    {
        var commit = new OffsetCommit(group, partition, offset, unit) { InvokedAt = at };
        _commits.Add(commit);
        return commit;
    }

    public void ReadOffset(string group, string partition, long offset, long invokedAt, long answeredAt) =>
        _reads.Add(new OffsetRead(group, partition, offset, invokedAt, answeredAt));

    /// <summary>From now on only this epoch of the producer may write.</summary>
    public void Fence(string producer, int epoch, long at) => _fencings.Add(new Fencing(producer, epoch, at));

    /// <summary>Records below an offset may be gone.</summary>
    public void MayBeGone(string partition, long belowOffset) =>
        _starts[partition] = Math.Max(belowOffset, _starts.GetValueOrDefault(partition));

    /// <summary>Of records with the same key only the last one must be there.</summary>
    public void IsCompacted(string partition) => _compacted.Add(partition);

    public void IsDrained(string group) => _drainedGroups.Add(group);

    public bool IsGoneByRetention(string partition, long offset) =>
        offset >= 0 && offset < _starts.GetValueOrDefault(partition);

    public bool HasCompaction(string partition) => _compacted.Contains(partition);
}

/// <summary>A transaction, or one record that was sent by itself.</summary>
internal sealed class Unit(int number, string process, bool isTransactional, string? producer, int epoch)
{
    private readonly List<Sent> _sent = [];
    private readonly List<Polled> _polled = [];

    public int Number => number;

    public string Process => process;

    public bool IsTransactional => isTransactional;

    public string? Producer => producer;

    public int Epoch => epoch;

    public IReadOnlyList<Sent> Sent => _sent;

    /// <summary>What was read within the transaction.</summary>
    public IReadOnlyList<Polled> Polled => _polled;

    public long BegunAt { get; init; }

    public long CommitAskedAt { get; private set; } = long.MaxValue;

    public long EndedAt { get; private set; } = long.MaxValue;

    public Outcome Outcome { get; private set; }

    public Sent Send(string partition, string value, long at, string? recordKey = null)
    {
        var sent = new Sent(this, partition, value, recordKey) { InvokedAt = at };
        _sent.Add(sent);
        return sent;
    }

    public void Read(Polled record) => _polled.Add(record);

    public void AskCommit(long at) => CommitAskedAt = Math.Min(CommitAskedAt, at);

    public void End(Outcome outcome, long at)
    {
        Outcome = outcome;
        EndedAt = outcome == Outcome.Unknown ? long.MaxValue : at;
    }

    public override string ToString() => isTransactional ? $"transaction {number} of {process}" : $"{process}";
}

/// <summary>One record that was sent.</summary>
internal sealed class Sent(Unit unit, string partition, string value, string? recordKey)
{
    public Unit Unit => unit;

    public string Partition => partition;

    public string Value => value;

    public string? RecordKey => recordKey;

    public long InvokedAt { get; init; }

    public long AnsweredAt { get; private set; } = long.MaxValue;

    /// <summary>-1 = not told.</summary>
    public long Offset { get; private set; } = -1;

    public Outcome Outcome { get; private set; }

    /// <summary>Whether it has to be there: acknowledged, and by itself or committed.</summary>
    public bool MustBe => Outcome == Outcome.Good && (!unit.IsTransactional || unit.Outcome == Outcome.Good);

    /// <summary>Whether no committed reader may see it.</summary>
    public bool MustNotBe => unit.IsTransactional ? unit.Outcome == Outcome.Failed : Outcome == Outcome.Failed;

    public void Acknowledge(long offset, long at)
    {
        Offset = offset;
        Outcome = Outcome.Good;
        AnsweredAt = at;
    }

    public void Fail(long at)
    {
        Outcome = Outcome.Failed;
        AnsweredAt = at;
    }
}

/// <summary>One record that was read.</summary>
internal readonly record struct Polled(string Partition, long Offset, string Value, long At);

/// <summary>A reader from where it began until it began anew.</summary>
internal sealed class ReaderLife(string reader, bool isCommitted, string? group)
{
    private readonly List<IReadOnlyList<Polled>> _polls = [];

    public string Reader => reader;

    public bool IsCommitted => isCommitted;

    public string? Group => group;

    public IReadOnlyList<IReadOnlyList<Polled>> Polls => _polls;

    public IEnumerable<Polled> All => _polls.SelectMany(poll => poll);

    public void Poll(params IReadOnlyList<Polled> records) => _polls.Add(records);
}

/// <summary>An offset that a group committed.</summary>
internal sealed class OffsetCommit(string group, string partition, long offset, Unit? unit)
{
    private Outcome _outcome;

    public string Group => group;

    public string Partition => partition;

    public long Offset => offset;

    public long InvokedAt { get; init; }

    /// <summary>When it held at the latest; for ever away when that is not known.</summary>
    public long HeldAt { get; private set; } = long.MaxValue;

    /// <summary>With a transaction: the transaction's.</summary>
    public Outcome Outcome => unit?.Outcome ?? _outcome;

    public void End(Outcome outcome, long at)
    {
        _outcome = outcome;
        HeldAt = outcome == Outcome.Good ? at : long.MaxValue;
    }

    /// <summary>When it is known to hold.</summary>
    public long KnownAt => unit is null ? HeldAt : unit.Outcome == Outcome.Good ? unit.EndedAt : long.MaxValue;
}

/// <summary>An offset that a group was told; -1 = none.</summary>
internal sealed record OffsetRead(string Group, string Partition, long Offset, long InvokedAt, long AnsweredAt);

/// <summary>A producer's new life.</summary>
internal sealed record Fencing(string Producer, int Epoch, long At);
