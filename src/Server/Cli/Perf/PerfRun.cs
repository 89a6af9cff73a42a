using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>One measurement: connects, warms up, measures, drains, and sums up.</summary>
internal sealed class PerfRun(PerfOptions options)
{
    private const double DrainSecondsMax = 10;
    private const int LinksAtOnce = 200;
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);
    private readonly PerfSchedule _schedule = new(options.WarmUpSeconds, options.DurationSeconds);
    private readonly List<NetworkClient> _idle = [];
    private long _residentBytesMax;
    private double? _idleConnectionBytes;
    private double? _idleQueueBytes;

    public async Task<PerfReport> RunAsync(CancellationToken cancellation)
    {
        await PrepareIdleAsync(cancellation);
        PerfReceiver[] receivers = [.. Enumerable.Range(0, options.Receivers).Select(Receiver)];
        PerfSender[] senders = [.. Enumerable.Range(0, options.Senders).Select(Sender)];
        PerfWorker[] workers =
            [new("perf senders", senders, _schedule), new("perf receivers", receivers, _schedule)];
        _schedule.Begin();
        foreach (PerfWorker worker in workers)
        {
            worker.Start();
        }
        await UntilAsync(_schedule.MeasureFrom, cancellation);
        (double? Server, double Client) before = Cpu();
        await UntilAsync(_schedule.MeasureTo, cancellation);
        (double? Server, double Client) after = Cpu();
        await DrainAsync(senders, cancellation);
        _schedule.Stop();
        foreach (PerfWorker worker in workers)
        {
            worker.Join();
        }
        ThrowIfFailed();
        Close(senders, receivers);
        return Report(senders, receivers) with
        {
            ServerCpuSeconds = after.Server - before.Server,
            ClientCpuSeconds = after.Client - before.Client,
        };
    }

    private PerfReceiver Receiver(int index) => new(options, _schedule, index);

    private PerfSender Sender(int index) => new(options, _schedule, index);

    private async Task PrepareIdleAsync(CancellationToken cancellation)
    {
        _idleConnectionBytes = await MemoryEachAsync(options.IdleConnections, ConnectIdle, cancellation);
        _idleQueueBytes = await MemoryEachAsync(options.IdleQueues, MakeIdleQueues, cancellation);
    }

    private async Task<double?> MemoryEachAsync(
        int count, Action<CancellationToken> make, CancellationToken cancellation)
    {
        if (count == 0)
        {
            return null;
        }
        long? before = ServerResidentBytes();
        make(cancellation);
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellation);
        return (double?)(ServerResidentBytes() - before) / count;
    }

    private void ConnectIdle(CancellationToken cancellation)
    {
        for (int i = 0; i < options.IdleConnections; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            NetworkClient client = NetworkClient.Open(options.Target, $"perf-{Environment.ProcessId}-i{i}");
            client.Connection.BeginSession();
            client.Flush();
            _idle.Add(client);
        }
    }

    // Attaching makes the queue, where the server makes queues by itself.
    private void MakeIdleQueues(CancellationToken cancellation)
    {
        using NetworkClient client = NetworkClient.Open(options.Target, $"perf-{Environment.ProcessId}-q");
        for (int first = 0; first < options.IdleQueues; first += LinksAtOnce)
        {
            cancellation.ThrowIfCancellationRequested();
            ClientSession session = client.Connection.BeginSession();
            string[] names = [.. Enumerable.Range(first, Math.Min(LinksAtOnce, options.IdleQueues - first))
                .Select(i => $"{options.Address}-idle-{i}")];
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

    private long? ServerResidentBytes() => options.ServerPid is { } pid ? ProcessUsage.ResidentBytes(pid) : null;

    private async Task UntilAsync(long time, CancellationToken cancellation)
    {
        while (Clock.Now < time && !_schedule.IsStopped)
        {
            TimeSpan left = TimeSpan.FromMicroseconds((time - Clock.Now) / 1000.0);
            TimeSpan wait = left < SampleEvery && left > TimeSpan.Zero ? left : SampleEvery;
            await Task.Delay(wait, TimeProvider.System, cancellation);
            SampleMemory();
        }
        ThrowIfFailed();
    }

    // What was sent has to arrive: the end of a measurement is no excuse.
    private async Task DrainAsync(PerfSender[] senders, CancellationToken cancellation)
    {
        long end = Clock.Now + (long)(DrainSecondsMax * 1e9);
        long wanted = _schedule.Sent * (options.FanOut ? options.Receivers : 1);
        while (Clock.Now < end && !_schedule.IsStopped
            && (_schedule.Received < wanted || senders.Any(s => s.Unsettled > 0)))
        {
            await Task.Delay(SampleEvery, TimeProvider.System, cancellation);
            wanted = _schedule.Sent * (options.FanOut ? options.Receivers : 1);
        }
    }

    private (double? Server, double Client) Cpu() => (
        options.ServerPid is { } pid ? ProcessUsage.CpuSeconds(pid) : null,
        Environment.CpuUsage.TotalTime.TotalSeconds);

    private void SampleMemory()
    {
        _residentBytesMax = Math.Max(_residentBytesMax, ServerResidentBytes() ?? 0);
    }

    private void ThrowIfFailed()
    {
        if (_schedule.Failure is { } failure)
        {
            throw failure is CommandException
                ? failure
                : new CommandException(ExitCode.Failed, $"the measurement failed: {failure.Message}");
        }
    }

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
            Options = options,
            MeasuredSeconds = options.DurationSeconds,
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
            ServerResidentBytesMax = options.ServerPid is null ? null : _residentBytesMax,
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
