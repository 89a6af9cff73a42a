using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Client;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>
/// The transactions of one producer: add the partitions, write for a while, wait until all of that is acknowledged,
/// commit, and again. Says when batches may go out and what is in them. One thread.
/// </summary>
internal sealed class KafkaPerfTransactions
{
    private const int TimeoutMs = 60_000;
    private const short ConcurrentTransactions = 51;
    private const long AgainNanoseconds = 500_000;

    private readonly KafkaPerfOptions _options;
    private readonly KafkaLink _link;
    private readonly ProducerName _producer;
    private readonly int[] _sequences;
    private readonly long _lengthNs;
    private State _state = State.Between;
    private long _notBefore;
    private long _end;
    private long _closedAt;
    private long _began;
    private long _tail;

    public KafkaPerfTransactions(KafkaPerfOptions options, KafkaLink link, int index)
    {
        _options = options;
        _link = link;
        _sequences = new int[options.Partitions];
        _lengthNs = (long)(1e9 * options.Producers / options.TransactionsPerSecond);
        string name = $"perf-{options.Topic}-{index}";
        link.Frames.WriteInitProducer(link.Output, 0, name, TimeoutMs);
        (short error, long id, short epoch) = KafkaFrames.ReadInitProducer(link.WaitForAnswer());
        KafkaPerfRun.Check(error, "InitProducerId");
        _producer = new ProducerName(name, id, epoch);
    }

    private enum State
    {
        Between,
        Adding,
        Open,
        Closing,
        Committing,
    }

    /// <summary>Batches may go out.</summary>
    public bool IsOpen => _state == State.Open;

    /// <summary>No transaction is open.</summary>
    public bool IsBetween => _state == State.Between;

    /// <summary>From the last batch's acknowledgement to that of the commit, measured phase only.</summary>
    public PerfHistogram Commits { get; } = new();

    /// <summary>The name that its batches bear.</summary>
    public string TransactionalId => _producer.TransactionalId;

    /// <summary>How its batches begin.</summary>
    public RecordBatchOptions BatchOptions => new()
    {
        ProducerId = _producer.ProducerId,
        ProducerEpoch = _producer.Epoch,
        BaseSequence = 0,
        IsTransactional = true,
    };

    /// <summary>Puts the next sequence number of a partition into a batch.</summary>
    public void Number(Span<byte> batch, int partition, int records)
    {
        RecordBatchPatch.SetBaseSequence(batch, _sequences[partition]);
        _sequences[partition] = (int)((_sequences[partition] + (long)records) & int.MaxValue);
    }

    /// <summary>Begins or ends a transaction when it is time; true when a request went out, which has one answer.
    /// <paramref name="wantsMore"/>: there is more to write after this one.</summary>
    public bool Turn(long now, int unacknowledged, bool wantsMore)
    {
        switch (_state)
        {
            case State.Between when wantsMore && now >= _notBefore:
                _link.Frames.WriteAddPartitions(_link.Output, 0, _producer, _options.Topic, _options.Partitions);
                _began = now;
                _state = State.Adding;
                return true;
            case State.Open when now >= _end || !wantsMore:
                _state = State.Closing;
                _tail = -now;
                return Turn(now, unacknowledged, wantsMore);
            case State.Closing when unacknowledged == 0:
                _link.Frames.WriteCommit(_link.Output, 0, _producer);
                _closedAt = now;
                _state = State.Committing;
                return true;
            default:
                return false;
        }
    }

    /// <summary>When <see cref="Turn"/> has something to do, if no answer comes before.</summary>
    public long NextTurn => _state switch
    {
        State.Between => _notBefore,
        State.Open => _end,
        _ => long.MaxValue,
    };

    /// <summary>The answer to what <see cref="Turn"/> sent.</summary>
    public void OnAnswer(ReadOnlyMemory<byte> frame, long now, bool isMeasured)
    {
        if (_state == State.Adding)
        {
            short error = KafkaFrames.ReadAddPartitions(frame);
            bool isLate = error == ConcurrentTransactions;
            KafkaPerfRun.Check(isLate ? (short)0 : error, "AddPartitionsToTxn");
            _state = isLate ? State.Between : State.Open;
            _notBefore = now + AgainNanoseconds;
            // To keep the rate, it ends so much earlier as the last one took for its end.
            _end = Math.Max(now, _began + _lengthNs - _tail);
            return;
        }

        KafkaPerfRun.Check(KafkaFrames.ReadCommit(frame), "EndTxn");
        _state = State.Between;
        _tail += now;
        _notBefore = Math.Max(now, _began + _lengthNs);
        if (isMeasured)
        {
            Commits.Record(now - _closedAt, 1);
        }
    }
}
