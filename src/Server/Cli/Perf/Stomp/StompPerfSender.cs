using System.Buffers.Text;
using System.Text;
using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.Stomp;

/// <summary>Sends as fast as receipts come back, or, without receipts, as fast as the connection takes it.</summary>
internal sealed class StompPerfSender : IMessagingSender
{
    private const long WaitNanosecondsMax = 50_000_000;
    private const int UnsentBytesMax = 256 << 10;
    private const int ReceiptDigits = 12;

    private readonly StompPerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly SendingPhase _phase;
    private readonly StompLink _link;
    private readonly byte[] _frame;
    private readonly int _receiptAt;
    private readonly int _bodyAt;
    private readonly long[] _stamps;
    private long _sent;
    private long _receipts;

    public StompPerfSender(StompPerfOptions options, PerfSchedule schedule, int index)
    {
        (_options, _schedule, _phase) = (options, schedule, schedule.BeginSending());
        _stamps = new long[options.InFlight];
        string durable = options.Durable ? $"persistent:true\nreceipt:{new string('0', ReceiptDigits)}\n" : "";
        byte[] head = Encoding.UTF8.GetBytes(
            $"SEND\ndestination:{options.Destination}\n{durable}content-length:{options.BodyBytes}\n\n");
        _receiptAt = options.Durable ? head.AsSpan().IndexOf("receipt:"u8) + "receipt:".Length : -1;
        _bodyAt = head.Length;
        _frame = [.. head, .. new byte[options.BodyBytes], 0];
        PerfBody.Fill(_frame.AsSpan(_bodyAt), index);
        _link = new StompLink(options);
    }

    /// <inheritdoc/>
    public PerfHistogram Acknowledged { get; } = new();

    /// <inheritdoc/>
    public long Measured { get; private set; }

    /// <inheritdoc/>
    public void Run()
    {
        while (!_schedule.IsStopped)
        {
            long now = Clock.Now;
            bool isOver = _phase.IsOver(now);
            if (isOver && _link.Unsent == 0 && (!_options.Durable || _receipts == _sent))
            {
                return;
            }

            long sentBefore = _sent;
            while (!isOver && CanSend)
            {
                Send(now);
            }

            _schedule.AddSent(_sent - sentBefore);
            _link.Flush();
            _link.Pump(!isOver && CanSend ? 0 : WaitNanosecondsMax);
            TakeReceipts();
        }
    }

    public void Dispose() => _link.Dispose();

    private bool CanSend =>
        _link.Unsent < UnsentBytesMax && (!_options.Durable || _sent - _receipts < _options.InFlight);

    private void Send(long now)
    {
        PerfBody.Stamp(_frame.AsSpan(_bodyAt), now, _sent);
        if (_options.Durable)
        {
            Utf8Formatter.TryFormat(_sent, _frame.AsSpan(_receiptAt, ReceiptDigits), out _, new('D', ReceiptDigits));
            _stamps[_sent % _stamps.Length] = now;
        }

        _link.Write(_frame);
        _sent++;
        Measured += _schedule.IsMeasured(now) ? 1 : 0;
    }

    private void TakeReceipts()
    {
        long now = Clock.Now;
        while (_link.TryTake(out ReadOnlySpan<byte> head, out _))
        {
            if (head.StartsWith("RECEIPT\n"u8)
                && StompLink.Header(head, "\nreceipt-id:"u8, out ReadOnlySpan<byte> id)
                && Utf8Parser.TryParse(id, out long number, out _))
            {
                _receipts++;
                if (_schedule.IsMeasured(now))
                {
                    Acknowledged.Record(now - _stamps[number % _stamps.Length]);
                }
            }
        }
    }
}
