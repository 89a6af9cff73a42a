using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>One measurement: connects, warms up, measures, drains, and sums up.</summary>
internal sealed class PerfRun
{
    private const int LinksAtOnce = 200;
    private readonly List<NetworkClient> _idle = [];
    private double? _idleConnectionBytes;
    private double? _idleQueueBytes;
    private readonly PerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly PerfMeasurement _measurement;

    public PerfRun(PerfOptions options)
    {
        _options = options;
        _schedule = new PerfSchedule(options.WarmUpSeconds, options.DurationSeconds);
        _measurement = new PerfMeasurement(_schedule, options.ServerPid);
    }

    public async Task<PerfReport> RunAsync(CancellationToken cancellation)
    {
        await PrepareIdleAsync(cancellation);
        PerfReceiver[] receivers = [.. Enumerable.Range(0, _options.Receivers).Select(Receiver)];
        PerfSender[] senders = [.. Enumerable.Range(0, _options.Senders).Select(Sender)];
        PerfWorker[] workers =
            [new("perf senders", senders, _schedule), new("perf receivers", receivers, _schedule)];
        _schedule.Begin();
        foreach (PerfWorker worker in workers)
        {
            worker.Start();
        }
        await _measurement.UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = _measurement.Cpu();
        await _measurement.UntilAsync(_schedule.MeasureTo, cancellation);
        (double? Server, double Client) after = _measurement.Cpu();
        await _measurement.DrainAsync(() => IsThere(senders), cancellation);
        _schedule.Stop();
        foreach (PerfWorker worker in workers)
        {
            worker.Join();
        }
        _measurement.ThrowIfFailed();
        Close(senders, receivers);
        return Report(senders, receivers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
        };
    }

    private PerfReceiver Receiver(int index) => new(_options, _schedule, index);

    private PerfSender Sender(int index) => new(_options, _schedule, index);

    private async Task PrepareIdleAsync(CancellationToken cancellation)
    {
        _idleConnectionBytes = await MemoryEachAsync(_options.IdleConnections, ConnectIdle, cancellation);
        _idleQueueBytes = await MemoryEachAsync(_options.IdleQueues, MakeIdleQueues, cancellation);
    }

    private async Task<double?> MemoryEachAsync(
        int count, Action<CancellationToken> make, CancellationToken cancellation)
    {
        if (count == 0)
        {
            return null;
        }
        long? before = _measurement.ServerResidentBytes;
        make(cancellation);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellation);
        return (double?)(_measurement.ServerResidentBytes - before) / count;
    }

    private void ConnectIdle(CancellationToken cancellation)
    {
        for (int i = 0; i < _options.IdleConnections; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            NetworkClient client = NetworkClient.Open(_options.Target, $"perf-{Environment.ProcessId}-i{i}");
            client.Connection.BeginSession();
            client.Flush();
            _idle.Add(client);
        }
    }

    // Attaching makes the queue, where the server makes queues by itself.
    private void MakeIdleQueues(CancellationToken cancellation)
    {
        using NetworkClient client = NetworkClient.Open(_options.Target, $"perf-{Environment.ProcessId}-q");
        for (int first = 0; first < _options.IdleQueues; first += LinksAtOnce)
        {
            cancellation.ThrowIfCancellationRequested();
            ClientSession session = client.Connection.BeginSession();
            string[] names = [.. Enumerable.Range(first, Math.Min(LinksAtOnce, _options.IdleQueues - first))
                .Select(i => $"{_options.Address}-idle-{i}")];
            ClientReceiver[] links = [.. names.Select(n =>
                session.AttachReceiver(n, new Source { Address = n }, SenderSettleMode.Mixed, NoMessages.Instance))];
            foreach (ClientReceiver link in links)
            {
                client.WaitForAttach(link, link.Name);
                link.Detach();
            }
            client.WaitFor(() => links.All(l => l.State == LinkState.Detached), "detach");
        }
        client.Close();
    }

    private bool IsThere(PerfSender[] senders) =>
        _schedule.Received >= _schedule.Sent * (_options.FanOut ? _options.Receivers : 1)
        && senders.All(s => s.Unsettled <= 0);

    // A closing detach also ends durable subscriptions.
    private void Close(PerfSender[] senders, PerfReceiver[] receivers)
    {
        foreach (PerfReceiver receiver in receivers)
        {
            receiver.Link.Detach(closed: true);
        }
        IEnumerable<NetworkClient> all =
            receivers.Select(r => r.Client).Concat(senders.Select(s => s.Client)).Concat(_idle);
        foreach (NetworkClient client in all)
        {
            client.Close();
            client.Dispose();
        }
    }

    private PerfReport Report(PerfSender[] senders, PerfReceiver[] receivers)
    {
        var (acknowledged, late, delivered) = (new PerfHistogram(), new PerfHistogram(), new PerfHistogram());
        foreach (PerfSender sender in senders)
        {
            acknowledged.Add(sender.Acknowledged);
            late.Add(sender.Lateness);
        }
        foreach (PerfReceiver receiver in receivers)
        {
            delivered.Add(receiver.Delivered);
        }
        return new PerfReport
        {
            Options = _options,
            MeasuredSeconds = _options.DurationSeconds,
            Messages = receivers.Length > 0 ? receivers.Sum(r => r.Measured) : acknowledged.Count,
            Acknowledged = acknowledged,
            Delivered = delivered,
            Lateness = late,
            SentInAll = receivers.Length > 0 ? _schedule.Sent : 0,
            ReceivedInAll = _schedule.Received,
            OutOfOrder = receivers.Sum(r => r.OutOfOrder),
            Refused = senders.Sum(s => s.Refused),
            Foreign = receivers.Sum(r => r.Foreign),
            ClientCpuSeconds = 0,
            ServerResidentBytesMax = _measurement.ServerResidentBytesMax,
            IdleConnectionBytes = _idleConnectionBytes,
            IdleQueueBytes = _idleQueueBytes,
        };
    }

    private sealed class NoMessages : IReceiverEvents
    {
        public static readonly NoMessages Instance = new();

        public void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery)
        {
            // No credit was given.
        }
    }
}
