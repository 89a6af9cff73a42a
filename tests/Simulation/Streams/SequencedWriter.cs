using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model.Records;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>A batch on its way.</summary>
internal sealed class SequencedBatch(int sequence, IReadOnlyList<Sent> records)
{
    public int Sequence => sequence;

    public IReadOnlyList<Sent> Records => records;

    /// <summary>Whether it has to be sent, for the first time or again.</summary>
    public bool IsToSend { get; set; } = true;
}

/// <summary>
/// What a producer with sequence numbers does for one partition: sends batches in order, up to five at once, and again
/// from the first that has no answer.
/// </summary>
internal sealed class SequencedWriter(StreamWorld world, string stream, int number)
{
    private const int InFlightMax = 5;
    private readonly RecordBatchBuilder _builder = new();
    private readonly List<SequencedBatch> _batches = [];
    private int _next;

    public string Partition => StreamWorld.NameOf(stream, number);

    public bool IsIdle => _batches.Count == 0;

    public bool HasRoom => _batches.Count < InFlightMax;

    /// <summary>Begins anew, with another id or epoch.</summary>
    public void Reset()
    {
        _batches.Clear();
        _next = 0;
    }

    public void Add(IReadOnlyList<Sent> records)
    {
        _batches.Add(new SequencedBatch(_next, records));
        _next += records.Count;
    }

    /// <summary>No answer comes to what was sent.</summary>
    public void NodeDied() => _batches.ForEach(static batch => batch.IsToSend = true);

    /// <summary>Sends the next batch that is to be sent; an error that time does not heal, or None.</summary>
    public StreamError Send(ProducerStamp producer, bool isTransactional, bool isVersion2)
    {
        if (_batches.Find(static batch => batch.IsToSend) is not { } batch)
        {
            return StreamError.None;
        }

        Partition partition = world.Find(stream, number);
        ReadOnlySpan<byte> bytes = Build(batch, producer, isTransactional);
        AppendResult result = partition.Append(bytes, new AppendOptions { IsTransactionV2 = isVersion2 });
        if (result.Error is StreamError.StorageFailed or StreamError.DiskFull or StreamError.Busy)
        {
            return StreamError.None;
        }

        if (result.Error == StreamError.None)
        {
            batch.IsToSend = false;
            long first = result.BaseOffset;
            if (world.Broken == BrokenPromise.Durability)
            {
                OnDurable(batch, first, isDurable: true);
                return StreamError.None;
            }

            world.WhenDurable(partition, result.DurableAt, isDurable => OnDurable(batch, first, isDurable));
        }

        return result.Error;
    }

    private void OnDurable(SequencedBatch batch, long first, bool isDurable)
    {
        if (!isDurable || !_batches.Remove(batch))
        {
            return;
        }

        foreach (Sent sent in batch.Records)
        {
            sent.Acknowledge(first++, world.Tick());
        }
    }

    private ReadOnlySpan<byte> Build(SequencedBatch batch, ProducerStamp producer, bool isTransactional)
    {
        bool hasNumbers = isTransactional || world.Broken != BrokenPromise.Idempotence;
        _builder.Begin(!hasNumbers ? new RecordBatchOptions() : new RecordBatchOptions
        {
            ProducerId = producer.Id,
            ProducerEpoch = producer.Epoch,
            BaseSequence = batch.Sequence,
            IsTransactional = isTransactional,
        });
        long nowMs = world.Node.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (Sent sent in batch.Records)
        {
            byte[] key = Encoding.UTF8.GetBytes(sent.RecordKey ?? sent.Value);
            _builder.Add(nowMs, key, Encoding.UTF8.GetBytes(sent.Value));
        }

        return _builder.Finish().Span;
    }
}
