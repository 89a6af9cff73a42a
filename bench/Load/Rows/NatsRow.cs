using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>NATS as the yardstick: core, which stores nothing, or JetStream on file, acknowledged.</summary>
internal sealed class NatsRow(bool jetStream) : ILoadRow
{
    private const int BodyBytes = 100;
    private const double WarmUpSeconds = 1;
    private int _runs;

    public string Name => jetStream ? "nats-jetstream" : "nats-core";

    public string Description => jetStream
        ? "JetStream, file storage, 100 B, one publisher with 1,000 in flight (acknowledged before fdatasync)"
        : "core NATS, 100 B, one publisher, one subscriber: what a socket can carry";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["nats"];

    public IReadOnlyList<Goal> Goals => [];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        int port = ((NatsPeer)peer).Port;
        string subject = $"load{_runs++}";
        using NatsTraffic traffic = jetStream
            ? NatsTraffic.ToStream(port, subject, BodyBytes)
            : NatsTraffic.ToSubscriber(port, subject, BodyBytes);
        traffic.Start();
        await Task.Delay(TimeSpan.FromSeconds(WarmUpSeconds));
        (long Messages, double Cpu) before = (traffic.Received, Processes.CpuSeconds(peer.Pid));
        await Task.Delay(TimeSpan.FromSeconds(options.DurationSeconds));
        (long Messages, double Cpu) after = (traffic.Received, Processes.CpuSeconds(peer.Pid));
        traffic.Stop();
        long messages = after.Messages - before.Messages;
        return new()
        {
            [Figure.Rate] = messages / options.DurationSeconds,
            [Figure.ServerCpuUs] = (after.Cpu - before.Cpu) * 1e6 / Math.Max(1, messages),
            [Figure.ResidentMiB] = Processes.ResidentMiB(peer.Pid),
        };
    }
}
