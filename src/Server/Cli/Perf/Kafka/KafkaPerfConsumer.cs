using System.Buffers.Binary;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Client;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>Reads all partitions of the topic, from their ends or, without producers, from their starts.</summary>
internal sealed class KafkaPerfConsumer : IDisposable
{
    private const long WaitNanosecondsMax = 50_000_000;
    private const int FetchWaitMs = 500;

    private readonly PerfSchedule _schedule;
    private readonly KafkaLink _link;
    private readonly string _topic;
    private readonly long[] _offsets;
    private readonly bool _hasProducers;
    private readonly int _fetchBytes;
    private readonly bool _isCommitted;
    private readonly PooledBuffer _plain = new();
    private int _correlation;

    public KafkaPerfConsumer(KafkaPerfOptions options, PerfSchedule schedule, int index)
    {
        _schedule = schedule;
        _topic = options.Topic;
        _hasProducers = options.Producers > 0;
        _fetchBytes = options.FetchBytes;
        _isCommitted = options.TransactionsPerSecond > 0;
        _offsets = new long[options.Partitions];
        _link = new KafkaLink(options, $"perf-c{index}");
        for (int p = 0; p < _offsets.Length && _hasProducers; p++)
        {
            _link.Frames.WriteEndOffset(_link.Output, _correlation++, _topic, p);
            (short error, _offsets[p]) = KafkaFrames.ReadEndOffset(_link.WaitForAnswer());
            KafkaPerfRun.Check(error, "ListOffsets");
        }
    }

    /// <summary>Records of the measured phase.</summary>
    public long Measured { get; private set; }

    /// <summary>From the time of sending to here, by record, measured phase only.</summary>
    public PerfHistogram Delivered { get; } = new();

    /// <summary>Batches whose offsets do not follow the one before.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>Runs until the measurement is stopped.</summary>
    public void Run()
    {
        Fetch();
        while (!_schedule.IsStopped)
        {
            _link.Pump(WaitNanosecondsMax);
            while (_link.TryTake(out ReadOnlyMemory<byte> frame))
            {
                foreach ((int partition, short error, ReadOnlyMemory<byte> batches) in KafkaFrames.ReadFetch(frame))
                {
                    KafkaPerfRun.Check(error, "Fetch");
                    Take(partition, batches.Span);
                }

                Fetch();
            }
        }
    }

    public void Dispose()
    {
        _plain.Dispose();
        _link.Dispose();
    }

    private void Fetch() =>
        _link.Frames.WriteFetch(_link.Output, _correlation++, _topic, _offsets, FetchWaitMs, _fetchBytes, _isCommitted);

    private void Take(int partition, ReadOnlySpan<byte> batches)
    {
        long now = Clock.Now;
        bool measured = _schedule.IsMeasured(now);
        long records = 0;
        while (RecordBatch.TryRead(batches, out RecordBatch batch) == RecordBatchFault.None)
        {
            batches = batches[batch.SizeBytes..];
            OutOfOrder += batch.BaseOffset > _offsets[partition] ? 1 : 0;
            _offsets[partition] = batch.NextOffset;
            if (batch.IsControl)
            {
                continue;
            }

            records += batch.Count;
            if (measured && _hasProducers)
            {
                Delivered.Record(Math.Max(0, now - StampOf(batch, now)), batch.Count);
            }
        }

        _schedule.AddReceived(records);
        Measured += measured ? records : 0;
    }

    private long StampOf(in RecordBatch batch, long now)
    {
        ReadOnlySpan<byte> records = batch.Records;
        if (batch.Compression != RecordCompression.None)
        {
            _plain.Clear();
            CodecFault fault = RecordCodec.TryDecompress(batch.Compression, records, _plain);
            records = fault == CodecFault.None
                ? _plain.WrittenSpan
                : throw new CommandException(ExitCode.Failed, $"cannot read a batch in {batch.Compression}: {fault}");
        }

        var reader = new RecordReader(records, batch.Count);
        return reader.TryRead(out StreamRecord first) && first.Value.Length >= KafkaPerfOptions.RecordBytesMin
            ? BinaryPrimitives.ReadInt64BigEndian(first.Value)
            : now;
    }
}
