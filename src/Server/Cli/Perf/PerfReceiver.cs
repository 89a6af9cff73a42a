using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>Receives, accepts in batches, and checks that each sender's messages come in order.</summary>
internal sealed class PerfReceiver : IPerfRole, IReceiverEvents
{
    private const int StampEvery = 16;
    private readonly PerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly long[] _expected;
    private long _now;
    private int _batch;

    public PerfReceiver(PerfOptions options, PerfSchedule schedule, int index)
    {
        _options = options;
        _schedule = schedule;
        _expected = new long[options.Senders];
        Client = NetworkClient.Open(options.ReceiveTarget, $"perf-{Environment.ProcessId}-r{index}");
        SenderSettleMode mode = options.PreSettled ? SenderSettleMode.Settled : SenderSettleMode.Unsettled;
        Source source = SourceOf(options, index);
        Link = Client.Connection.BeginSession().AttachReceiver($"perf-r{index}", source, mode, this);
        Client.WaitForAttach(Link, source.Address!);
        Link.KeepCredit(options.Credit);
        Client.Flush();
    }

    public NetworkClient Client { get; }

    public ClientReceiver Link { get; }

    /// <summary>Messages of the measured phase.</summary>
    public long Measured { get; private set; }

    /// <summary>From the intended time of sending to here, measured phase only.</summary>
    public PerfHistogram Delivered { get; } = new();

    /// <summary>Messages whose sequence number is below one seen before: sent again, or out of order.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>Messages that another measurement left behind.</summary>
    public long Foreign { get; private set; }

    /// <inheritdoc/>
    public long Work(long now) => long.MaxValue;

    /// <inheritdoc/>
    public void Read(long now)
    {
        _now = now;
        _batch = 0;
        Client.Read();
        _schedule.AddReceived(_batch);
    }

    /// <inheritdoc/>
    public void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery)
    {
        if (!delivery.IsSettled)
        {
            receiver.Settle(delivery.DeliveryId, DeliveryStateKind.Accepted);
        }
        int offset = delivery.Message.Length - _options.BodyBytes;
        if (offset < 0
            || !PerfBody.TryRead(delivery.Message[offset..], out long stamp, out long sequence, out int sender))
        {
            Foreign++;
            return;
        }
        if (++_batch % StampEvery == 0)
        {
            _now = Clock.Now;
        }
        if (sequence < _expected[sender])
        {
            OutOfOrder++;
        }
        else
        {
            _expected[sender] = sequence + 1;
        }
        if (_schedule.IsMeasured(_now))
        {
            Measured++;
            Delivered.Record(_now - stamp);
        }
    }

    // Subscribers of a durable fan-out are durable as well: else the server need not store anything.
    private static Source SourceOf(PerfOptions options, int index) => new()
    {
        Address = options.ReceiveAddressOf(index),
        Capabilities = options.FanOut ? ["topic"] : null,
        Durable =
            options is { FanOut: true, Durable: true } ? TerminusDurability.UnsettledState : TerminusDurability.None,
        ExpiryPolicy = options is { FanOut: true, Durable: true }
            ? TerminusExpiryPolicy.Never
            : TerminusExpiryPolicy.SessionEnd,
    };
}
