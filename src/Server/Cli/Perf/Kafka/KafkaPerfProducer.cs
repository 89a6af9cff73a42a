using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.Client;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>
/// Sends batches as fast as the number in flight allows, or records at even intervals whatever the server does: then a
/// record's time is when it should have gone out.
/// </summary>
internal sealed class KafkaPerfProducer : IDisposable
{
    private const long WaitNanosecondsMax = 50_000_000;
    private const long Stamp = 0x7b1d_33c9_5a6e_42f1;
    private const int OfTransaction = 0;
    private const int OutputBytesMax = 4 << 20;

    private readonly KafkaPerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly SendingPhase _phase;
    private readonly KafkaLink _link;
    private readonly Dictionary<int, (byte[] Batch, int StampAt)> _templates = [];
    private readonly Queue<(long Stamp, int Records)> _flying = [];
    private readonly KafkaPerfTransactions? _transactions;
    private readonly PooledBuffer _compressed = new();
    private readonly double _intervalNs;
    private long _intended;
    private int _sentBatches;
    private long _left;

    public KafkaPerfProducer(KafkaPerfOptions options, PerfSchedule schedule, int index)
    {
        _options = options;
        _schedule = schedule;
        _phase = schedule.BeginSending();
        _intervalNs = options.Rate > 0 ? options.Producers * 1e9 / options.Rate : 0;
        _link = new KafkaLink(options, $"perf-p{index}");
        _sentBatches = index;
        _left = options.Fill == 0
            ? long.MaxValue
            : (options.Fill / options.Producers) + (index < options.Fill % options.Producers ? 1 : 0);
        _transactions = options.TransactionsPerSecond > 0 ? new KafkaPerfTransactions(options, _link, index) : null;
    }

    /// <summary>How long commits took; null without transactions.</summary>
    public PerfHistogram? Commits => _transactions?.Commits;

    /// <summary>From the time of sending to the acknowledgement, by record, measured phase only.</summary>
    public PerfHistogram Acknowledged { get; } = new();

    /// <summary>Records that the server refused.</summary>
    public long Refused { get; private set; }

    /// <summary>Runs until the measured phase is over and everything is acknowledged.</summary>
    public void Run()
    {
        SocketPoll.WakeInTime();
        while (!_schedule.IsStopped)
        {
            long now = Clock.Now;
            bool wantsMore = !_phase.IsOver(now) && _left > 0;
            long next = wantsMore ? Send(now) : long.MaxValue;
            if (_transactions is not null)
            {
                TurnTransaction(now, wantsMore && _left > 0);
                next = Math.Min(next, _transactions.NextTurn);
            }

            if (!wantsMore && _flying.Count == 0 && _transactions is null or { IsBetween: true })
            {
                return;
            }

            _link.Pump(Math.Min(next - now - SocketPoll.AwakeNanoseconds, WaitNanosecondsMax));
            while (_link.TryTake(out ReadOnlyMemory<byte> frame))
            {
                OnAnswer(frame);
            }
        }
    }

    public void Dispose()
    {
        _compressed.Dispose();
        _link.Dispose();
    }

    private bool CanSend => _left > 0 && _transactions is null or { IsOpen: true } && _link.Unsent < OutputBytesMax
        && (_options.Acks == 0 || _flying.Count < _options.InFlight);

    // Returns when there is more to send.
    private long Send(long now)
    {
        if (_intervalNs == 0)
        {
            while (CanSend)
            {
                SendBatch(Clock.Now, (int)Math.Min(_left, _options.RecordsPerBatch));
            }

            return _options.Acks == 0 ? now : long.MaxValue;
        }

        long linger = (long)(_options.LingerMs * 1e6);
        long due = DueOf(_intended);
        while (due <= now && CanSend)
        {
            long waiting = 1 + (long)((now - due) / _intervalNs);
            if (waiting < _options.RecordsPerBatch && now < due + linger)
            {
                return Math.Min(due + linger, DueOf(_intended + _options.RecordsPerBatch - 1));
            }

            int records = (int)Math.Min(Math.Min(_options.RecordsPerBatch, _left), waiting);
            SendBatch(due, records);
            _intended += records;
            due = DueOf(_intended);
        }

        return CanSend ? due : long.MaxValue;
    }

    private void TurnTransaction(long now, bool wantsMore)
    {
        if (_transactions!.Turn(now, _flying.Count, wantsMore))
        {
            _flying.Enqueue((now, OfTransaction));
        }
    }

    private long DueOf(long index) => _schedule.Start + (long)(index * _intervalNs);

    private void SendBatch(long stamp, int records)
    {
        (byte[] batch, int stampAt) = TemplateOf(records);
        BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(stampAt), stamp);
        int partition = _sentBatches % _options.Partitions;
        _transactions?.Number(batch, partition, records);
        RecordBatchPatch.RefreshCrc(batch);
        _link.Frames.WriteProduce(
            _link.Output, _sentBatches, (_options.Topic, partition), _options.Acks, Compressed(batch),
            _transactions?.TransactionalId);
        _sentBatches++;
        _left -= _options.Fill == 0 ? 0 : records;
        _schedule.AddSent(records);
        if (_options.Acks != 0)
        {
            _flying.Enqueue((stamp, records));
        }
    }

    private ReadOnlyMemory<byte> Compressed(byte[] batch)
    {
        if (_options.Compression == RecordCompression.None)
        {
            return batch;
        }

        _compressed.Clear();
        _compressed.Write(batch.AsSpan(0, RecordBatch.HeaderBytes));
        CodecFault fault = RecordCodec.TryCompress(
            _options.Compression, 0, batch.AsSpan(RecordBatch.HeaderBytes), _compressed);
        if (fault != CodecFault.None)
        {
            throw new CommandException(ExitCode.Failed, $"cannot write {_options.Compression} on this machine");
        }

        RecordBatchPatch.SetRecords(_compressed.Span, _options.Compression);
        return _compressed.WrittenMemory;
    }

    private void OnAnswer(ReadOnlyMemory<byte> frame)
    {
        (long stamp, int records) = _flying.Dequeue();
        long now = Clock.Now;
        if (records == OfTransaction)
        {
            _transactions!.OnAnswer(frame, now, _schedule.IsMeasured(now));
            return;
        }

        short error = KafkaFrames.ReadProduce(frame);
        Refused += error != 0 ? records : 0;
        if (_schedule.IsMeasured(now) && error == 0)
        {
            Acknowledged.Record(now - stamp, records);
        }
    }

    // A batch that is sent again and again, but for the time in its first record.
    private (byte[] Batch, int StampAt) TemplateOf(int records)
    {
        if (_templates.TryGetValue(records, out (byte[], int) known))
        {
            return known;
        }

        var builder = new RecordBatchBuilder();
        builder.Begin(_transactions?.BatchOptions ?? new RecordBatchOptions());
        byte[] value = new byte[_options.RecordBytes];
        BinaryPrimitives.WriteInt64BigEndian(value, Stamp);
        long nowMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        for (int i = 0; i < records; i++)
        {
            builder.Add(new RecordContent { TimestampMs = nowMs, HasValue = true, Value = value });
        }

        byte[] batch = builder.Finish().ToArray();
        int stampAt = batch.AsSpan().IndexOf(value.AsSpan(0, sizeof(long)));
        return _templates[records] = (batch, stampAt);
    }
}
