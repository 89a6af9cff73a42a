using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>Takes a number of messages that are queued already, as fast as one receiver can.</summary>
internal sealed class PerfDrain(PerfOptions options) : IReceiverEvents
{
    private const long SilenceNanosecondsMax = 30_000_000_000;
    private const long WaitNanoseconds = 100_000_000;
    private long _first;
    private long _last;
    private long _received;

    public PerfReport Run(CancellationToken cancellation)
    {
        using NetworkClient client = NetworkClient.Open(options.Target, $"perf-{Environment.ProcessId}-drain");
        var source = new Source { Address = options.ReceiveAddress };
        ClientReceiver link = client.Connection.BeginSession()
            .AttachReceiver("perf-drain", source, SenderSettleMode.Unsettled, this);
        client.WaitForAttach(link, source.Address);
        double? serverBefore = options.ServerPid is { } pid ? ProcessUsage.CpuSeconds(pid) : null;
        double clientBefore = Environment.CpuUsage.TotalTime.TotalSeconds;
        link.KeepCredit(options.Credit);
        _last = Clock.Now;
        while (_received < options.DrainMessages && Clock.Now - _last < SilenceNanosecondsMax)
        {
            cancellation.ThrowIfCancellationRequested();
            client.Pump(WaitNanoseconds);
            client.ThrowIfOver();
        }
        PerfReport report = Report(clientBefore, serverBefore);
        client.Close();
        return report;
    }

    /// <inheritdoc/>
    public void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery)
    {
        if (!delivery.IsSettled)
        {
            receiver.Settle(delivery.DeliveryId, DeliveryStateKind.Accepted);
        }
        _last = Clock.Now;
        if (_received++ == 0)
        {
            _first = _last;
        }
    }

    private PerfReport Report(double clientBefore, double? serverBefore) => new()
    {
        Options = options,
        MeasuredSeconds = Math.Max(1, _last - _first) / 1e9,
        Messages = _received,
        Acknowledged = new PerfHistogram(),
        Delivered = new PerfHistogram(),
        Lateness = new PerfHistogram(),
        SentInAll = options.DrainMessages,
        ReceivedInAll = _received,
        OutOfOrder = 0,
        Refused = 0,
        Foreign = 0,
        ClientCpuSeconds = Environment.CpuUsage.TotalTime.TotalSeconds - clientBefore,
        ServerCpuSeconds = options.ServerPid is { } pid ? ProcessUsage.CpuSeconds(pid) - serverBefore : null,
        ServerResidentBytesMax = options.ServerPid is { } same ? ProcessUsage.ResidentBytes(same) : null,
    };
}
