using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.Stomp;

/// <summary>Receives, acknowledges, and checks that each sender's messages come in order.</summary>
internal sealed class StompPerfReceiver : IMessagingReceiver
{
    private const long WaitNanosecondsMax = 50_000_000;
    private const int AckEvery = 64;

    private readonly StompPerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly StompLink _link;
    private readonly long[] _expected;
    private readonly byte[] _ack = new byte[256];
    private int _unacknowledged;

    public StompPerfReceiver(StompPerfOptions options, PerfSchedule schedule)
    {
        (_options, _schedule) = (options, schedule);
        _expected = new long[Math.Max(1, options.Senders)];
        _link = new StompLink(options);
        _link.Write($"SUBSCRIBE\nid:0\ndestination:{options.Destination}\nack:{options.Ack}\nreceipt:s\n\n\0");
        _link.WaitFor("RECEIPT"u8);
    }

    /// <inheritdoc/>
    public long Measured { get; private set; }

    /// <inheritdoc/>
    public PerfHistogram Delivered { get; } = new();

    /// <inheritdoc/>
    public long OutOfOrder { get; private set; }

    /// <inheritdoc/>
    public long Foreign { get; private set; }

    /// <inheritdoc/>
    public void Run()
    {
        while (!_schedule.IsStopped)
        {
            _link.Pump(WaitNanosecondsMax);
            long now = Clock.Now;
            int batch = 0;
            int length = 0;
            while (_link.TryTake(out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> body))
            {
                batch += Take(body, now) ? 1 : 0;
                length = Acknowledge(head, length);
            }

            if (length > 0 && _options.Ack == "client")
            {
                SendAck(_ack.AsSpan(0, length));
            }

            _schedule.AddReceived(batch);
        }
    }

    public void Dispose() => _link.Dispose();

    private bool Take(ReadOnlySpan<byte> body, long now)
    {
        if (body.Length < StompPerfOptions.BodyBytesMin
            || !PerfBody.TryRead(body, out long stamp, out long sequence, out int sender)
            || sender >= _expected.Length)
        {
            Foreign++;
            return false;
        }

        OutOfOrder += sequence < _expected[sender] ? 1 : 0;
        _expected[sender] = Math.Max(_expected[sender], sequence + 1);
        if (_schedule.IsMeasured(now))
        {
            Measured++;
            Delivered.Record(now - stamp);
        }

        return true;
    }

    // In mode client one acknowledgement stands for all before it. Returns how long the id is that waits for that.
    private int Acknowledge(ReadOnlySpan<byte> head, int waiting)
    {
        if (_options.Ack == "auto" || !StompLink.Header(head, "\nack:"u8, out ReadOnlySpan<byte> id))
        {
            return waiting;
        }

        if (_options.Ack == "client-individual" || ++_unacknowledged >= AckEvery)
        {
            SendAck(id);
            return 0;
        }

        id.CopyTo(_ack);
        return id.Length;
    }

    private void SendAck(ReadOnlySpan<byte> id)
    {
        _unacknowledged = 0;
        Span<byte> frame = stackalloc byte[300];
        "ACK\nid:"u8.CopyTo(frame);
        id.CopyTo(frame[7..]);
        "\n\n\0"u8.CopyTo(frame[(7 + id.Length)..]);
        _link.Write(frame[..(7 + id.Length + 3)]);
    }
}
