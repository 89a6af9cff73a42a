using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// The producers that a partition knows by id: which sequence comes next, which batches came already, who is fenced.
/// Under the partition's lock.
/// </summary>
internal sealed class ProducerTable
{
    /// <summary>Most producers of a partition; those that have been silent longest are forgotten for new
    /// ones.</summary>
    public const int ProducersMax = 50_000;

    /// <summary>So many of them at once: to look for them costs a walk over all.</summary>
    private const int ForgottenAtOnce = ProducersMax / 50;

    private readonly Dictionary<long, ProducerState> _producers = [];

    public ICollection<ProducerState> All => _producers.Values;

    public int Count => _producers.Count;

    public ProducerState? Find(long producerId) => _producers.GetValueOrDefault(producerId);

    /// <summary>Whether a client's batch may be appended: None, an error, or None with a note of the batch that it
    /// repeats.</summary>
    public StreamError Check(in RecordBatch batch, bool isTransactionV2, out BatchNote? duplicate)
    {
        duplicate = null;
        ProducerState? producer = Find(batch.ProducerId);
        if (producer is null || producer.Epoch < 0)
        {
            return isTransactionV2 && batch.IsTransactional && batch.BaseSequence != 0
                ? StreamError.OutOfOrderSequence
                : StreamError.None;
        }

        if (producer.TryFind(batch.ProducerEpoch, batch.BaseSequence, batch.LastSequence, out BatchNote found))
        {
            duplicate = found;
            return StreamError.None;
        }

        if (batch.ProducerEpoch < producer.Epoch)
        {
            return StreamError.InvalidProducerEpoch;
        }

        if (!batch.IsTransactional && producer.TransactionStart >= 0)
        {
            return StreamError.InvalidTransactionState;
        }

        return IsNext(producer, batch, isTransactionV2) ? StreamError.None : StreamError.OutOfOrderSequence;
    }

    /// <summary>A batch of a producer was appended, or is found at recovery.</summary>
    public ProducerState Note(in RecordBatch batch, long baseOffset)
    {
        ProducerState producer = GetOrAdd(batch.ProducerId);
        producer.SetEpoch(batch.ProducerEpoch);
        producer.LastTimestampMs = batch.MaxTimestampMs;
        if (batch.IsControl)
        {
            producer.EndBatches();
        }
        else if (batch.BaseSequence >= 0)
        {
            producer.Note(new BatchNote(
                batch.BaseSequence, batch.LastSequence, baseOffset, baseOffset + batch.LastOffsetDelta));
        }

        return producer;
    }

    /// <summary>The producer, made when it is new.</summary>
    public ProducerState GetOrAdd(long producerId)
    {
        if (_producers.TryGetValue(producerId, out ProducerState? producer))
        {
            return producer;
        }

        if (_producers.Count >= ProducersMax)
        {
            ForgetOldest();
        }

        producer = new ProducerState(producerId);
        _producers.Add(producerId, producer);
        return producer;
    }

    /// <summary>All of them were heard of now: nobody knows when they last were.</summary>
    public void SeenAll(long nowMs)
    {
        foreach (ProducerState producer in _producers.Values)
        {
            producer.LastSeenMs = nowMs;
        }
    }

    /// <summary>Forgets producers that have been silent since before a time and have no open transaction.</summary>
    public int ForgetBefore(long nodeMs)
    {
        int before = _producers.Count;
        foreach ((long id, ProducerState producer) in _producers)
        {
            if (producer.LastSeenMs < nodeMs && producer.TransactionStart < 0)
            {
                _producers.Remove(id);
            }
        }

        return before - _producers.Count;
    }

    public void Add(ProducerState producer) => _producers[producer.ProducerId] = producer;

    private static bool IsNext(ProducerState producer, in RecordBatch batch, bool isTransactionV2)
    {
        if (batch.ProducerEpoch != producer.Epoch)
        {
            return batch.BaseSequence == 0;
        }

        if (producer.BatchCount == 0)
        {
            return !isTransactionV2 || !batch.IsTransactional || batch.BaseSequence == 0;
        }

        return batch.BaseSequence == RecordBatch.AddSequence(producer.LastSequence, 1);
    }

    private void ForgetOldest()
    {
        long[] oldest =
        [
            .. _producers.Values.Where(producer => producer.TransactionStart < 0)
                .OrderBy(producer => producer.LastSeenMs).Take(ForgottenAtOnce)
                .Select(producer => producer.ProducerId),
        ];
        foreach (long id in oldest)
        {
            _producers.Remove(id);
        }
    }
}
