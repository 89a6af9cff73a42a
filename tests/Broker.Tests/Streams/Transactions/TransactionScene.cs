using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Broker.Tests.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Transactions;

/// <summary>
/// Partitions as a broker keeps them: a list of records and markers, the epoch of each producer, and which producers
/// have a transaction open. Survives crashes of the coordinator; markers may be held back.
/// </summary>
internal sealed class ScenePartitions : ITransactionPartitions
{
    private readonly Dictionary<TopicPartition, Log> _logs = [];
    private readonly List<(TopicPartition Partition, TransactionEnd End, Action<MarkerOutcome> Done)> _held = [];

    /// <summary>Whether markers wait until <see cref="Release"/>.</summary>
    public bool HoldsMarkers { get; set; }

    public int Held => _held.Count;

    public int Refusals { get; set; }

    public void Make(string topic, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _logs.Add(new TopicPartition(topic, i), new Log());
        }
    }

    public void Remove(TopicPartition partition) => _logs.Remove(partition);

    public bool Exists(TopicPartition partition) => _logs.ContainsKey(partition);

    public TopicPartition OffsetsOf(string groupId) => new("offsets", 0);

    /// <summary>A client's record; false when the producer is fenced, or has no transaction open there and may not
    /// begin one.</summary>
    public bool Append(TopicPartition partition, ProducerStamp producer, string record)
    {
        Log log = _logs[partition];
        if (producer.Epoch < log.Epochs.GetValueOrDefault(producer.Id))
        {
            return false;
        }

        log.Epochs[producer.Id] = producer.Epoch;
        log.Open.Add(producer.Id);
        log.Entries.Add((producer.Id, record, false));
        return true;
    }

    public bool IsOpen(TopicPartition partition, ProducerStamp producer) =>
        _logs[partition].Open.Contains(producer.Id)
        && _logs[partition].Epochs.GetValueOrDefault(producer.Id) == producer.Epoch;

    public void WriteMarker(TopicPartition partition, TransactionEnd end, Action<MarkerOutcome> done)
    {
        if (HoldsMarkers)
        {
            _held.Add((partition, end, done));
        }
        else
        {
            Write(partition, end, done);
        }
    }

    /// <summary>Held markers go in, in any order that the caller chooses.</summary>
    public void Release(Func<int, int> choose)
    {
        while (_held.Count > 0)
        {
            ReleaseOne(choose(_held.Count));
        }
    }

    public void ReleaseOne(int at)
    {
        var held = _held[at];
        _held.RemoveAt(at);
        Write(held.Partition, held.End, held.Done);
    }

    /// <summary>The node dies: markers that are not in are lost.</summary>
    public void Crash() => _held.Clear();

    /// <summary>What a reader of committed records sees; null when it would have to wait for an open
    /// transaction.</summary>
    public List<string>? ReadCommitted(TopicPartition partition)
    {
        Log log = _logs[partition];
        if (log.Open.Count > 0)
        {
            return null;
        }

        List<string> seen = [];
        for (int i = 0; i < log.Entries.Count; i++)
        {
            var entry = log.Entries[i];
            if (entry.Record is not null
                && log.Entries.Skip(i).First(e => e.Record is null && e.ProducerId == entry.ProducerId).Committed)
            {
                seen.Add(entry.Record);
            }
        }

        return seen;
    }

    private void Write(TopicPartition partition, TransactionEnd end, Action<MarkerOutcome> done)
    {
        if (Refusals > 0)
        {
            Refusals--;
            done(MarkerOutcome.Retry);
            return;
        }

        if (!_logs.TryGetValue(partition, out Log? log))
        {
            done(MarkerOutcome.Gone);
            return;
        }

        short epoch = log.Epochs.GetValueOrDefault(end.Producer.Id, (short)-1);
        bool open = log.Open.Contains(end.Producer.Id);
        bool stale = end.Producer.Epoch < epoch || (end.Version >= 2 && open && end.Producer.Epoch == epoch);
        if (stale)
        {
            done(MarkerOutcome.Gone);
            return;
        }

        log.Epochs[end.Producer.Id] = end.Producer.Epoch;
        log.Open.Remove(end.Producer.Id);
        log.Entries.Add((end.Producer.Id, null, end.Committed));
        done(MarkerOutcome.Written);
    }

    private sealed class Log
    {
        public List<(long ProducerId, string? Record, bool Committed)> Entries { get; } = [];

        public Dictionary<long, short> Epochs { get; } = [];

        public HashSet<long> Open { get; } = [];
    }
}

/// <summary>A transaction coordinator on one thread with a hand clock, its log and partitions in memory.</summary>
internal sealed class TransactionScene
{
    private readonly TransactionOptions _options;

    public TransactionScene(TransactionOptions? options = null)
    {
        _options = options ?? new TransactionOptions();
        Partitions.Make("t", 4);
        Partitions.Make("offsets", 1);
        Coordinator = Open();
    }

    public HandClock Clock { get; } = new();

    public ScenePartitions Partitions { get; } = new();

    public MemoryCoordinatorLog Log { get; private set; } = new();

    public TransactionCoordinator Coordinator { get; private set; }

    public void Advance(long milliseconds)
    {
        const int StepMs = 100;
        for (long left = milliseconds; left > 0; left -= StepMs)
        {
            Clock.Advance(Math.Min(left, StepMs));
            Coordinator.Tick();
        }
    }

    public void Crash(int unsyncedKept = 0)
    {
        Log = Log.Crash(unsyncedKept);
        Partitions.Crash();
        Coordinator = Open();
    }

    public Answer<ProducerResult> InitLater(string? id = "x", ProducerStamp? current = null, int timeoutMs = 60_000)
    {
        Answer<ProducerResult> answer = new();
        Coordinator.InitProducer(
            new InitProducerRequest(id, timeoutMs, current ?? ProducerStamp.None), answer.Take);
        return answer;
    }

    public ProducerStamp Init(string? id = "x", ProducerStamp? current = null, int timeoutMs = 60_000)
    {
        ProducerResult result = InitLater(id, current, timeoutMs).Value;
        Assert.Equal(CoordinatorError.None, result.Error);
        return result.Producer;
    }

    public Answer<PartitionsResult> AddLater(ProducerStamp producer, int version, string id, params int[] partitions)
    {
        Answer<PartitionsResult> answer = new();
        Coordinator.AddPartitions(
            new TransactionRef(id, producer, (short)version),
            [.. partitions.Select(p => new TopicPartition("t", p))],
            answer.Take);
        return answer;
    }

    public CoordinatorError Add(ProducerStamp producer, int version = 2, params int[] partitions) =>
        ErrorOf(AddLater(producer, version, "x", partitions).Value);

    public CoordinatorError Verify(ProducerStamp producer, int partition)
    {
        Answer<PartitionsResult> answer = new();
        Coordinator.VerifyPartitions(
            new TransactionRef("x", producer, 1), [new TopicPartition("t", partition)], answer.Take);
        return ErrorOf(answer.Value);
    }

    public static CoordinatorError ErrorOf(PartitionsResult result) =>
        result.Error != CoordinatorError.None ? result.Error : result.Partitions[0];

    public Answer<ProducerResult> EndLater(ProducerStamp producer, bool commit, int version = 2, string id = "x")
    {
        Answer<ProducerResult> answer = new();
        Coordinator.EndTransaction(new TransactionRef(id, producer, (short)version), commit, answer.Take);
        return answer;
    }

    public ProducerResult End(ProducerStamp producer, bool commit, int version = 2) =>
        EndLater(producer, commit, version).Value;

    public TransactionView Describe(string id = "x")
    {
        Answer<TransactionView> answer = new();
        Coordinator.Describe(id, answer.Take);
        return answer.Value;
    }

    public bool Append(ProducerStamp producer, int partition, string record) =>
        Partitions.Append(new TopicPartition("t", partition), producer, record);

    public List<string>? Read(int partition) => Partitions.ReadCommitted(new TopicPartition("t", partition));

    private TransactionCoordinator Open() => TransactionCoordinator.Open(
        _options, Log, new CoordinatorLoop(NullLogger.Instance),
        new CoordinatorSeams(Clock, new SeededRandom(1), new SceneTopics(), NullLogger.Instance), Partitions);
}
