using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.OpenWire;

/// <summary>Receives, acknowledges, and checks that each sender's messages come in order.</summary>
internal sealed class OpenWirePerfReceiver : IMessagingReceiver
{
    private const long WaitNanosecondsMax = 50_000_000;

    private readonly OpenWirePerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly OpenWireLink _link;
    private readonly ConsumerId _id;
    private readonly MessageAck _ack;
    private readonly long[] _expected;
    private readonly int _ackEvery;
    private int _unacknowledged;

    public OpenWirePerfReceiver(OpenWirePerfOptions options, PerfSchedule schedule, int index)
    {
        (_options, _schedule) = (options, schedule);
        _expected = new long[Math.Max(1, options.Senders)];
        _ackEvery = options.AcknowledgesEach ? 1 : Math.Max(1, options.Prefetch / 4);
        _link = new OpenWireLink(options, $"r{index}");
        _id = new ConsumerId { Connection = _link.Connection.Value, Session = _link.Session.Value, Value = 1 };
        Destination destination = options.ToDestination();
        _ack = new MessageAck { ConsumerId = _id, Destination = destination, AckType = (byte)AckType.Standard };
        _link.Ask(new ConsumerInfo
        {
            ConsumerId = _id,
            Destination = destination,
            PrefetchSize = Math.Max(1, options.Prefetch),
            DispatchAsync = true,
        });
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
            while (_link.TryTake(out IDataStructure? command))
            {
                if (command is MessageDispatch { Message: { } message })
                {
                    batch += Take(message, now) ? 1 : 0;
                    Acknowledge(message.MessageId!);
                }
            }

            _schedule.AddReceived(batch);
        }

        Close();
    }

    public void Dispose() => _link.Dispose();

    // Leaves nothing behind that was received.
    private void Close()
    {
        if (_unacknowledged > 0)
        {
            SendAck(asks: true);
        }

        _link.Ask(new RemoveInfo { ObjectId = _id });
    }

    private bool Take(Message message, long now)
    {
        ReadOnlySpan<byte> body = message.Content is { } content ? content.Span : default;
        if (body.Length < OpenWirePerfOptions.BodyBytesMin
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

    // One acknowledgement stands for all since the last one.
    private void Acknowledge(MessageId last)
    {
        _ack.FirstMessageId ??= last;
        _ack.LastMessageId = last;
        if (++_unacknowledged >= _ackEvery)
        {
            SendAck(asks: false);
        }
    }

    private void SendAck(bool asks)
    {
        _ack.MessageCount = _unacknowledged;
        if (asks)
        {
            _link.Ask(_ack);
        }
        else
        {
            _link.Write(_ack, asks: false);
        }

        _ack.FirstMessageId = null;
        _unacknowledged = 0;
    }
}
